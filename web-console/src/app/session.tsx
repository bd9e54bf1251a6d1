import { isAtLeast } from '@starling/protocol';
import { endpoints, type BrowserSession, type Endpoint, type Operation } from '@starling/protocol/api';
import { createContext, use } from 'react';

interface SignedIn {
  readonly session: BrowserSession;
  /** Tells the app who is signed in now. */
  readonly changed: (session: BrowserSession | null) => void;
}

const Current = createContext<SignedIn | null>(null);
export const SessionProvider = Current.Provider;

export function useSession(): SignedIn {
  const signedIn = use(Current);
  if (!signedIn) throw new TypeError('The session was asked for outside of the sign-in.');
  return signedIn;
}

/** Whether the one who is signed in may call an operation: what they may not is not offered. */
export function useMay(): (operation: Operation) => boolean {
  const { session } = useSession();
  return (operation) => {
    const { role }: Endpoint = endpoints[operation];
    return isAtLeast(session.role, role);
  };
}
