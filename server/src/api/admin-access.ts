import { isAtLeast, ProblemError, projectHeader } from '@starling/protocol';
import type { FastifyRequest } from 'fastify';
import { recordOutcome, recordRequest } from '../access/audit.ts';
import { identifyKey, type KeyIdentity } from '../access/keys.ts';
import type { RateLimits } from '../access/rate-limits.ts';
import type { Database } from '../storage/database.ts';
import { bearer, callerOf, requestDigest, type Api } from './http.ts';

/**
 * Who may do what on the routes of this scope: every route names its least role, or is not registered. A request passes
 * in this order: key (401), rate (429), role (403); only then is anything looked up in the project (404).
 */
export function addAdminAccess(api: Api, database: Database, limits: RateLimits): void {
  api.addHook('onRoute', ({ url, config }) => {
    if (!config?.admin) throw new TypeError(`The admin route ${url} does not say who may call it.`);
  });
  api.addHook('onRequest', async (request) => {
    request.key = await identifyCaller(request, database, limits);
    const { role, operation } = routeOf(request);
    if (!isAtLeast(request.key.role, role)) {
      throw new ProblemError(
        'forbidden',
        `"${operation}" needs a key of role ${role} or above; this one is of role ${request.key.role}.`,
      );
    }
  });
}

/** The caller of a request with an API key, within its rate. Throws `unauthenticated`, `rate-limited`, `not-found`. */
export async function identifyCaller(
  request: FastifyRequest,
  database: Database,
  limits: RateLimits,
): Promise<KeyIdentity> {
  const wanted = request.headers[projectHeader];
  try {
    const caller = await identifyKey(
      database,
      bearer(request),
      typeof wanted === 'string' ? wanted : undefined,
    );
    limits.key.take(caller.keyId);
    return caller;
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'unauthenticated') limits.refused.take(request.ip);
    throw error;
  }
}

/** Records every request that changes something, before it runs and when it has ended. */
export function addAudit(api: Api, database: Database): void {
  api.addHook('preHandler', async (request) => {
    const { operation, changes } = routeOf(request);
    if (!changes) return;
    const { keyId, projectId } = callerOf(request);
    const entry = {
      keyId,
      action: operation,
      object: objectOf(request),
      requestDigest: requestDigest(request),
      from: request.ip,
    };
    request.audit = { entry, made: null, sequence: await recordRequest(database, projectId, entry) };
  });
  api.addHook('onSend', async (request, reply, payload) => {
    if (!request.audit) return payload;
    const { entry, made, sequence } = request.audit;
    request.audit = null; // an error while sending would come by here again
    await recordOutcome(database, callerOf(request).projectId, entry, sequence, {
      status: reply.statusCode,
      object: made,
    });
    return payload;
  });
}

function routeOf(request: FastifyRequest) {
  const { admin } = request.routeOptions.config;
  if (!admin) throw new TypeError(`${request.url} is no route of the admin API.`);
  return admin;
}

/** What a request is about: the id or digest in its path. */
function objectOf(request: FastifyRequest): string | null {
  const { id, digest } = request.params as { id?: string; digest?: string };
  return id ?? digest ?? null;
}
