import { csrfHeader, ProblemError, type Role } from '@starling/protocol';

/** Who is signed in, with what may be shown and done. The cookie behind it is out of reach of scripts. */
export interface Session {
  readonly role: Role;
  readonly project: { readonly id: string; readonly name: string };
  readonly name: string;
  readonly csrf: string;
  readonly expiresAt: string;
}

/** The session of this browser, or `null`. Throws ProblemError. */
export async function currentSession(): Promise<Session | null> {
  const answer = await fetch('/v1/session');
  if (answer.status === 401) return null;
  return sessionIn(answer);
}

/** Signs in with an API key. Throws ProblemError: `unauthenticated` for a key that is none. */
export async function signIn(key: string): Promise<Session> {
  const answer = await fetch('/v1/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  return sessionIn(answer);
}

export async function signOut({ csrf }: Session): Promise<void> {
  const answer = await fetch('/v1/session', { method: 'DELETE', headers: { [csrfHeader]: csrf } });
  if (!answer.ok && answer.status !== 401) throw ProblemError.from(await answer.json(), answer.status);
}

async function sessionIn(answer: Response): Promise<Session> {
  const json: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw ProblemError.from(json, answer.status);
  return json as Session; // the server answers by its schema
}
