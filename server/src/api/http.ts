import { createHash } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { ProjectId, Role } from '@starling/protocol';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawReplyDefaultExpression } from 'fastify';
import type { RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { TSchema } from 'typebox';
import type { AuditedRequest } from '../access/audit.ts';
import type { CallerIdentity } from '../access/caller.ts';
import type { RateLimits } from '../access/rate-limits.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { DeviceIdentity, Sessions } from '../devices/sessions.ts';
import type { Forecaster } from '../forecast/forecaster.ts';
import type { NodeHealth } from '../observability/node-health.ts';
import type { Readiness } from '../observability/readiness.ts';
import type { Feed } from '../realtime/feed.ts';
import type { Querier } from '../storage/database.ts';
import type { Site } from './site.ts';

/** Fastify, with route types taken from the schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the routes stand on. */
export interface ApiServices {
  coordinator: Coordinator;
  sessions: Sessions;
  limits: RateLimits;
  feed: Feed;
  site: Site;
  readiness: Readiness;
  node: NodeHealth;
  forecaster: Forecaster | undefined;
  /** Ends the live connections of an API key, a person, or a session (by its hash), at every node. */
  endConnections: (whose: string) => void;
}

/** What an admin route is: its name in OpenAPI, who may call it, whether it changes something. */
export interface AdminRoute {
  operation: string;
  role: Role;
  changes: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the admin routes' check of the API key or the session. */
    caller: CallerIdentity | null;
    /**
     * Runs the action of a request that changes something in one transaction with the record of its answer, which
     * goes out with this status. Set by the check of the idempotency key.
     */
    commit: (<A>(status: number, work: (tx: Querier) => Promise<A>) => Promise<A>) | null;
    /** The audit entry of a request that changes something, and what it made. */
    audit: { sequence: number; entry: AuditedRequest; made: string | null } | null;
    /** Set by the device routes' check of the session. */
    device: DeviceIdentity | null;
  }
  interface FastifyContextConfig {
    admin?: AdminRoute;
  }
}

export function bearer(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  return /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
}

/** Who calls; only inside routes that check it. */
export function callerOf(request: FastifyRequest): CallerIdentity {
  if (!request.caller) throw new TypeError('A route that does not check its caller asked for it.');
  return request.caller;
}

/** The project that the caller acts in; only inside routes that check the caller. */
export function projectOf(request: FastifyRequest): ProjectId {
  return callerOf(request).projectId;
}

/** The device of the session; only inside routes that check one. */
export function deviceOf(request: FastifyRequest): DeviceIdentity {
  if (!request.device) throw new TypeError('A route without a session check asked for its device.');
  return request.device;
}

/** SHA-256 (hexadecimal) over what a request asks for: method, path, body. */
export function requestDigest(request: FastifyRequest): string {
  return createHash('sha256')
    .update(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`)
    .digest('hex');
}

/** A hook for routes with this body: where a body need not say anything, it may be left away. */
export function bodyOrNothing(
  body: TSchema | undefined,
): (request: FastifyRequest, reply: unknown, done: () => void) => void {
  const mayLack = body !== undefined && !requires(body);
  return (request, _reply, done) => {
    if (mayLack) request.body ??= {};
    done();
  };
}

function requires(body: TSchema): boolean {
  return (
    !('properties' in body) ||
    ('required' in body && Array.isArray(body.required) && body.required.length > 0)
  );
}
