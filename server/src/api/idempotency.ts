import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { ProblemError, type ProjectId } from '@starling/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../coordinator/context.ts';
import { isDead } from '../coordinator/nodes.ts';
import type { Database, Querier } from '../storage/database.ts';
import { credentialOf } from './credentials.ts';
import { callerOf, requestDigest, type Api } from './http.ts';
import type { Site } from './site.ts';

/** A request that takes longer than this is given up: another may take its key. */
const abandonedAfter = '10 minutes';
/** Answers are kept for this long. */
const keptFor = '1 day';

/** A request under an idempotency key, which this process handles and no other. */
interface Attempt {
  readonly id: string;
  readonly place: Place;
  /** The answer is stored. */
  isKept: boolean;
}

/**
 * `Idempotency-Key` on admin routes that change something: the first answer (unless it is a server error) is
 * kept for a day and repeated for the same key and request; another request under the same key is a conflict. A key is
 * one of the caller that sent it. What is kept is encrypted under both secrets, since answers may hold a new one.
 *
 * A handler that commits its action by `request.commit` has the answer stored in the same transaction: after a crash
 * there are both or none, and none is left undone by a retry, or done twice. What a handler answers without it is
 * stored afterwards: such actions must come to the same when they are repeated.
 */
export function addIdempotency(api: Api, context: Context, site: Site): void {
  const { database, nodes } = context;
  const attempts = new WeakMap<FastifyRequest, Attempt>();

  api.addHook('preHandler', async (request, reply) => {
    request.commit = (_status, work) => database.tx(work);
    const place = placeOf(request, site);
    if (!place) return;
    const attempt: Attempt = { id: randomUUID(), place, isKept: false };
    if (!(await claim(database, attempt, requestDigest(request), nodes.id))) {
      await repeat(database, place, requestDigest(request), reply);
      return;
    }
    attempts.set(request, attempt);
    context.failpoint('request-claimed');
    request.commit = async (status, work) => {
      const answer = await database.tx(async (tx) => {
        await hold(tx, attempt);
        const made = await work(tx);
        await keep(tx, attempt, status, JSON.stringify(made));
        return made;
      });
      attempt.isKept = true;
      context.failpoint('answer-kept');
      return answer;
    };
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const attempt = attempts.get(request);
    attempts.delete(request);
    if (!attempt || attempt.isKept) return payload;
    if (reply.statusCode >= 500 || typeof payload !== 'string') {
      await database.query(`delete from idempotency_keys where ${heldBy}`, heldValues(attempt));
    } else {
      await keep(database, attempt, reply.statusCode, payload);
    }
    return payload;
  });
}

/** Takes a key for an attempt, also from one that its node did not end. Returns whether nobody else has it. */
async function claim(
  database: Database,
  { id, place: { projectId, name } }: Attempt,
  digest: string,
  node: string,
): Promise<boolean> {
  await database.query(
    `delete from idempotency_keys where created_at < now() - interval '${keptFor}'
        or (project_id = $1 and key = $2 and status is null
            and (created_at < now() - interval '${abandonedAfter}' or ${isDead('idempotency_keys.node')}))`,
    [projectId, name],
  );
  const claimed = await database.query(
    `insert into idempotency_keys (project_id, key, request, node, attempt) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning key`,
    [projectId, name, digest, node, id],
  );
  return claimed.length > 0;
}

/** Throws `idempotency-busy` when the key was taken by another attempt meanwhile: then nothing may happen here. */
async function hold(tx: Querier, attempt: Attempt): Promise<void> {
  const [held] = await tx.query(
    `select 1 from idempotency_keys where ${heldBy} for update`,
    heldValues(attempt),
  );
  if (held) return;
  throw new ProblemError(
    'idempotency-busy',
    `This request took too long, and another with Idempotency-Key "${attempt.place.key}" has taken its place. Try again.`,
  );
}

async function keep(querier: Querier, attempt: Attempt, status: number, body: string): Promise<void> {
  await querier.query(`update idempotency_keys set status = $4, body = $5 where ${heldBy}`, [
    ...heldValues(attempt),
    status,
    encrypt(attempt.place.secret, body),
  ]);
}

/** The row of a key that an attempt still holds. */
const heldBy = 'project_id = $1 and key = $2 and attempt = $3 and status is null';

function heldValues({ id, place: { projectId, name } }: Attempt): string[] {
  return [projectId, name, id];
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
    throw new ProblemError(
      'idempotency-conflict',
      `Idempotency-Key "${key}" was used with another request. Use a new key.`,
    );
  }
  if (!kept || kept.status === null || !kept.body) {
    throw new ProblemError(
      'idempotency-busy',
      `The first request with Idempotency-Key "${key}" is still running. Try again.`,
    );
  }
  const body = decrypt(secret, kept.body);
  if (body === undefined) {
    throw new ProblemError(
      'idempotency-conflict',
      `Idempotency-Key "${key}" was used with another secret of this API key, or in another session. Use a new key.`,
    );
  }
  const type = kept.status >= 400 ? 'application/problem+json' : 'application/json';
  await reply.header('idempotent-replay', 'true').status(kept.status).type(type).send(body);
}

function placeOf(request: FastifyRequest, site: Site): Place | undefined {
  if (request.routeOptions.config.admin?.changes !== true) return undefined;
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key.length === 0 || key.length > 128) {
    throw new ProblemError('invalid-request', 'Idempotency-Key must be 1 to 128 characters.');
  }
  const { actor, projectId } = callerOf(request);
  const secret = createHash('sha256')
    .update(`${credentialOf(site, request.headers)?.secret ?? ''}\n${key}`)
    .digest();
  return { key, projectId, name: sha256(`${actor}\n${key}`), secret };
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
