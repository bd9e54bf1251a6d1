import { createHash } from 'node:crypto';
import { ProblemError, type ProjectId } from '@starling/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { uniqueViolation, DatabaseError, type Database } from '../storage/database.ts';
import { projectOf, type Api } from './http.ts';

/** A request whose process died before it answered blocks its key for this long. */
const abandonedAfter = '10 minutes';

/**
 * `Idempotency-Key` on admin routes that change something: the first answer (unless it is a server error) is
 * kept and repeated for the same key and request; another request under the same key is a conflict.
 */
export function addIdempotency(api: Api, database: Database): void {
  api.addHook('preHandler', async (request, reply) => {
    const key = keyOf(request);
    if (key === undefined) return;
    const projectId = projectOf(request);
    const digest = requestDigest(request);
    await database.query(
      `delete from idempotency_keys where project_id = $1 and key = $2
          and status is null and created_at < now() - interval '${abandonedAfter}'`,
      [projectId, key],
    );
    try {
      await database.query('insert into idempotency_keys (project_id, key, request) values ($1, $2, $3)', [
        projectId,
        key,
        digest,
      ]);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.sqlState !== uniqueViolation) throw error;
      await repeat(database, projectId, key, digest, reply);
    }
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const key = keyOf(request);
    if (key === undefined || !request.key || reply.hasHeader('idempotent-replay')) return payload;
    const projectId = projectOf(request);
    if (reply.statusCode >= 500 || typeof payload !== 'string') {
      await database.query(
        'delete from idempotency_keys where project_id = $1 and key = $2 and status is null',
        [projectId, key],
      );
    } else {
      await database.query(
        `update idempotency_keys set status = $4, body = $5
          where project_id = $1 and key = $2 and request = $3 and status is null`,
        [projectId, key, requestDigest(request), reply.statusCode, payload],
      );
    }
    return payload;
  });
}

async function repeat(
  database: Database,
  projectId: ProjectId,
  key: string,
  digest: string,
  reply: FastifyReply,
): Promise<void> {
  const [kept] = await database.query<{ request: string; status: number | null; body: string | null }>(
    'select request, status, body from idempotency_keys where project_id = $1 and key = $2',
    [projectId, key],
  );
  if (kept && kept.request !== digest) {
    void reply.header('idempotent-replay', 'conflict');
    throw new ProblemError(
      'idempotency-conflict',
      `Idempotency-Key "${key}" was used with another request. Use a new key.`,
    );
  }
  if (!kept || kept.status === null) {
    void reply.header('idempotent-replay', 'busy');
    throw new ProblemError(
      'idempotency-busy',
      `The first request with Idempotency-Key "${key}" is still running. Try again.`,
    );
  }
  const type = kept.status >= 400 ? 'application/problem+json' : 'application/json';
  await reply.header('idempotent-replay', 'true').status(kept.status).type(type).send(kept.body);
}

function keyOf(request: FastifyRequest): string | undefined {
  if (request.method !== 'POST') return undefined;
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key.length === 0 || key.length > 128) {
    throw new ProblemError('invalid-request', 'Idempotency-Key must be 1 to 128 characters.');
  }
  return key;
}

function requestDigest(request: FastifyRequest): string {
  return createHash('sha256')
    .update(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`)
    .digest('hex');
}
