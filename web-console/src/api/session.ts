import { csrfHeader, ProblemError } from '@starling/protocol';
import type { BrowserSession, SignInWays } from '@starling/protocol/api';

/** Of the session in the cache of answers. */
export const sessionKey = ['session'] as const;

/** The session of this browser, or `null`. Throws ProblemError. */
export async function currentSession(): Promise<BrowserSession | null> {
  const answer = await fetch('/v1/session');
  if (answer.status === 401) return null;
  return sessionIn(answer);
}

/** Signs in with an API key. Throws ProblemError: `unauthenticated` for a key that is none. */
export async function signIn(key: string): Promise<BrowserSession> {
  const answer = await fetch('/v1/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  return sessionIn(answer);
}

export async function signOut({ csrf }: BrowserSession): Promise<void> {
  const answer = await fetch('/v1/session', { method: 'DELETE', headers: { [csrfHeader]: csrf } });
  if (!answer.ok && answer.status !== 401) throw ProblemError.from(await answer.json(), answer.status);
}

async function sessionIn(answer: Response): Promise<BrowserSession> {
  const json: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw ProblemError.from(json, answer.status);
  return json as BrowserSession; // the server answers by its schema
}

/** Whether people sign in at a provider here. */
export async function signInWays(): Promise<SignInWays> {
  const answer = await fetch('/v1/session/ways');
  const json: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw ProblemError.from(json, answer.status);
  return json as SignInWays; // the server answers by its schema
}

/** Where a browser goes to sign in at the provider, and comes back to the page that it is on. */
export function providerSignIn(): string {
  return `/v1/session/oidc/start?next=${encodeURIComponent(window.location.pathname + window.location.search)}`;
}

/** Moves the session to another project of the one who is signed in. */
export async function chooseProject({ csrf }: BrowserSession, project: string): Promise<BrowserSession> {
  const answer = await fetch('/v1/session/project', {
    method: 'PUT',
    headers: { 'content-type': 'application/json', [csrfHeader]: csrf },
    body: JSON.stringify({ project }),
  });
  return sessionIn(answer);
}
