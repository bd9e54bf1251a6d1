import { isAtLeast, ProblemError } from '@starling/protocol';
import type { FastifyRequest } from 'fastify';
import { recordEnded, recordOutcome, recordRequest, type AuditedRequest } from '../access/audit.ts';
import type { CallerIdentity } from '../access/caller.ts';
import type { Database } from '../storage/database.ts';
import { identifyCaller, refuseForged, type CallerChecks } from './credentials.ts';
import { callerOf, requestDigest, type Api } from './http.ts';

/**
 * Who may do what on the routes of this scope: every route names its least role, or is not registered. A request passes
 * in this order: credential (401), rate (429), forgery and role (403); only then is anything looked up in the project (404).
 */
export function addAdminAccess(api: Api, checks: CallerChecks): void {
  api.addHook('onRoute', ({ url, config }) => {
    if (!config?.admin) throw new TypeError(`The admin route ${url} does not say who may call it.`);
  });
  api.addHook('onRequest', async (request) => {
    const caller = await identifyCaller(request, checks);
    request.caller = caller;
    try {
      refuseForged(checks.site, request);
      refuseBelow(request, caller);
    } catch (error) {
      if (error instanceof ProblemError) await recordDenied(checks, request, caller, error.status);
      throw error;
    }
  });
}

function refuseBelow(request: FastifyRequest, { role }: CallerIdentity): void {
  const { role: least, operation } = routeOf(request);
  if (isAtLeast(role, least)) return;
  throw new ProblemError(
    'forbidden',
    `"${operation}" needs the role ${least} or above; this caller has the role ${role}.`,
  );
}

/** Refusals of callers that are known are recorded, reads too; so many of one caller that nobody floods the log. */
async function recordDenied(
  { database, limits }: CallerChecks,
  request: FastifyRequest,
  caller: CallerIdentity,
  status: number,
): Promise<void> {
  if (!limits.denied.grants(caller.actor)) return;
  const entry = entryOf(request, caller);
  await database.tx((tx) => recordEnded(tx, caller.projectId, entry, status));
}

function entryOf(request: FastifyRequest, { actor }: CallerIdentity): AuditedRequest {
  return {
    actor,
    action: routeOf(request).operation,
    object: objectOf(request),
    requestDigest: requestDigest(request),
    from: request.ip,
  };
}

/** Records every request that changes something, before it runs and when it has ended. */
export function addAudit(api: Api, database: Database): void {
  api.addHook('preHandler', async (request) => {
    if (!routeOf(request).changes) return;
    const caller = callerOf(request);
    const entry = entryOf(request, caller);
    request.audit = { entry, made: null, sequence: await recordRequest(database, caller.projectId, entry) };
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
