import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { ProblemError, type ProjectId } from '@starling/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { uniqueViolation, DatabaseError, type Database } from '../storage/database.ts';
import type { Context } from '../coordinator/context.ts';
import { bearer, callerOf, requestDigest, type Api } from './http.ts';

/** A request whose process died before it answered blocks its key for this long. */
const abandonedAfter = '10 minutes';
/** Answers are kept for this long. */
const keptFor = '1 day';

/**
 * `Idempotency-Key` on admin routes that change something: the first answer (unless it is a server error) is
 * kept for a day and repeated for the same key and request; another request under the same key is a conflict. A key is
 * one of the API key that sent it. What is kept is encrypted under both secrets, since answers may hold a new one.
 */
export function addIdempotency(api: Api, context: Context): void {
  const { database } = context;
  api.addHook('preHandler', async (request, reply) => {
    const place = placeOf(request);
    if (!place) return;
    const { projectId, name } = place;
    const digest = requestDigest(request);
    await database.query(
      `delete from idempotency_keys where created_at < now() - interval '${keptFor}'
          or (project_id = $1 and key = $2 and status is null
              and created_at < now() - interval '${abandonedAfter}')`,
      [projectId, name],
    );
    try {
      await database.query('insert into idempotency_keys (project_id, key, request) values ($1, $2, $3)', [
        projectId,
        name,
        digest,
      ]);
      context.failpoint('request-claimed');
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.sqlState !== uniqueViolation) throw error;
      await repeat(database, place, digest, reply);
    }
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const place = request.key && placeOf(request);
    if (!place || reply.hasHeader('idempotent-replay')) return payload;
    const { projectId, name, secret } = place;
    if (reply.statusCode >= 500 || typeof payload !== 'string') {
      await database.query(
        'delete from idempotency_keys where project_id = $1 and key = $2 and status is null',
        [projectId, name],
      );
    } else {
      await database.query(
        `update idempotency_keys set status = $4, body = $5
          where project_id = $1 and key = $2 and request = $3 and status is null`,
        [projectId, name, requestDigest(request), reply.statusCode, encrypt(secret, payload)],
      );
      context.failpoint('answer-kept');
    }
    return payload;
  });
}

/** Where the answer of a request is kept, and what opens it. */
interface Place {
  key: string;
  projectId: ProjectId;
  name: string;
  secret: Buffer;
}

async function repeat(
  database: Database,
  { projectId, name, key, secret }: Place,
  digest: string,
  reply: FastifyReply,
): Promise<void> {
  const [kept] = await database.query<{ request: string; status: number | null; body: Uint8Array | null }>(
    'select request, status, body from idempotency_keys where project_id = $1 and key = $2',
    [projectId, name],
  );
  if (kept && kept.request !== digest) {
    void reply.header('idempotent-replay', 'conflict');
    throw new ProblemError(
      'idempotency-conflict',
      `Idempotency-Key "${key}" was used with another request. Use a new key.`,
    );
  }
  if (!kept || kept.status === null || !kept.body) {
    void reply.header('idempotent-replay', 'busy');
    throw new ProblemError(
      'idempotency-busy',
      `The first request with Idempotency-Key "${key}" is still running. Try again.`,
    );
  }
  const body = decrypt(secret, kept.body);
  if (body === undefined) {
    void reply.header('idempotent-replay', 'conflict');
    throw new ProblemError(
      'idempotency-conflict',
      `Idempotency-Key "${key}" was used with another secret of this API key. Use a new key.`,
    );
  }
  const type = kept.status >= 400 ? 'application/problem+json' : 'application/json';
  await reply.header('idempotent-replay', 'true').status(kept.status).type(type).send(body);
}

function placeOf(request: FastifyRequest): Place | undefined {
  if (request.routeOptions.config.admin?.changes !== true) return undefined;
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key.length === 0 || key.length > 128) {
    throw new ProblemError('invalid-request', 'Idempotency-Key must be 1 to 128 characters.');
  }
  const { keyId, projectId } = callerOf(request);
  const secret = createHash('sha256')
    .update(`${bearer(request) ?? ''}\n${key}`)
    .digest();
  return { key, projectId, name: sha256(`${keyId}\n${key}`), secret };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** AES-256-GCM: nonce, tag, ciphertext. */
function encrypt(key: Buffer, text: string): Uint8Array {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = [cipher.update(text, 'utf8'), cipher.final()];
  return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]));
}

/** The text, or `undefined` when it was sealed under another key. */
function decrypt(key: Buffer, sealed: Uint8Array): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(12, 28));
  const text = decipher.update(sealed.subarray(28));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
