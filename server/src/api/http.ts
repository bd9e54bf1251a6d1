import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { KeyId, ProjectId } from '@starling/protocol';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawReplyDefaultExpression } from 'fastify';
import type { RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { DeviceIdentity, Sessions } from '../devices/sessions.ts';

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
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the admin routes' check of the API key. */
    key: { keyId: KeyId; projectId: ProjectId } | null;
    /** Set by the device routes' check of the session. */
    device: DeviceIdentity | null;
  }
}

export function bearer(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  return /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
}

/** The project of the API key; only inside routes that check one. */
export function projectOf(request: FastifyRequest): ProjectId {
  if (!request.key) throw new TypeError('A route without an API key check asked for its project.');
  return request.key.projectId;
}

/** The device of the session; only inside routes that check one. */
export function deviceOf(request: FastifyRequest): DeviceIdentity {
  if (!request.device) throw new TypeError('A route without a session check asked for its device.');
  return request.device;
}
