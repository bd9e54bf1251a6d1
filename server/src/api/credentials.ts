import type { IncomingHttpHeaders } from 'node:http';
import { ProblemError, projectHeader } from '@starling/protocol';
import type { FastifyRequest } from 'fastify';
import { identifyBrowserSession } from '../access/browser-sessions.ts';
import type { CallerIdentity } from '../access/caller.ts';
import { identifyKey } from '../access/keys.ts';
import type { RateLimits } from '../access/rate-limits.ts';
import { hashSecret } from '../devices/secrets.ts';
import type { Database } from '../storage/database.ts';
import { bearer } from './http.ts';
import { readCookie, refuseForgery, type Site } from './site.ts';

/** What identifies a caller of the admin API: an API key, or in its place the cookie of a session. */
export interface Credential {
  readonly kind: 'key' | 'session';
  readonly secret: string;
}

/** What callers are identified against. */
export interface CallerChecks {
  readonly database: Database;
  readonly limits: RateLimits;
  readonly site: Site;
}

/** The credential that a request carries. A key stands above a cookie. */
export function credentialOf(site: Site, headers: IncomingHttpHeaders): Credential | undefined {
  if (headers.authorization !== undefined) {
    return { kind: 'key', secret: bearer({ headers }) ?? '' };
  }
  const secret = readCookie(site, headers, 'session');
  return secret === undefined ? undefined : { kind: 'session', secret };
}

/**
 * Whose credential this is. `isUse`: whether this keeps a session from ending for want of use. Throws
 * `unauthenticated`, and `not-found` for a project that is not the caller's.
 */
export async function identify(
  database: Database,
  credential: Credential | undefined,
  { wanted, isUse }: { wanted?: string | undefined; isUse: boolean },
): Promise<CallerIdentity> {
  if (credential?.kind !== 'session') return identifyKey(database, credential?.secret, wanted);
  return identifyBrowserSession(database, credential.secret, { wanted, isUse });
}

/**
 * The caller of a request, within its rate, whatever page it comes from. Throws `unauthenticated`, `rate-limited`,
 * `not-found`.
 */
export async function identifyCaller(
  request: FastifyRequest,
  { database, limits, site }: CallerChecks,
): Promise<CallerIdentity> {
  const credential = credentialOf(site, request.headers);
  const wanted = request.headers[projectHeader];
  return limited(request.ip, credential, limits, () =>
    identify(database, credential, { wanted: typeof wanted === 'string' ? wanted : undefined, isUse: true }),
  );
}

/** Throws `csrf` for a request by cookie that changes something and does not come from a page of this server. */
export function refuseForged(site: Site, request: FastifyRequest): void {
  const credential = credentialOf(site, request.headers);
  if (credential?.kind === 'session' && request.method !== 'GET' && request.method !== 'HEAD') {
    refuseForgery(site, request, credential.secret);
  }
}

/** The session of a credential, by the hash that stands for it; none where it is a key. */
export function sessionOf({ kind, secret }: Credential): string[] {
  return kind === 'session' ? [hashSecret(secret)] : [];
}

/**
 * Identifies within the limits: of those that fail from one address, and of requests of one caller. An address that has
 * failed too often is asked to wait before anything is looked up, but for credentials that were good here lately: whoever
 * guesses behind the same address does not shut them out.
 */
export async function limited<T extends CallerIdentity>(
  address: string,
  credential: Credential | undefined,
  limits: RateLimits,
  identification: () => Promise<T>,
): Promise<T> {
  const hash = hashSecret(credential?.secret ?? '');
  if (!limits.good.has(hash)) limits.refused.require(address);
  try {
    const caller = await identification();
    limits.good.add(hash);
    limits.key.take(caller.actor);
    return caller;
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'unauthenticated') {
      limits.good.remove(hash);
      limits.refused.take(address);
    }
    throw error;
  }
}
