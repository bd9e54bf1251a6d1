import type { ApiKey, ApiKeyRequest, ApiKeyWithSecret } from '@starling/protocol/api';
import { isAtLeast, ProblemError, type KeyId, type ProjectId, type Role } from '@starling/protocol';
import { newId } from '../coordinator/context.ts';
import { hashSecret, newSecret } from '../devices/secrets.ts';
import type { Database, Querier } from '../storage/database.ts';
import type { CallerIdentity } from './caller.ts';

export interface KeyRow {
  id: KeyId;
  project_id: ProjectId;
  name: string;
  role: Role;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  old_until: Date | null;
}

const dayMs = 86_400_000;

/**
 * At the first start of an empty database: makes the project `default` and its first API key, of role `server`, and
 * returns the key. It is shown this once; the database keeps its hash.
 */
export async function createFirstKey(database: Database): Promise<string | undefined> {
  const { secret, hash } = newSecret('sk');
  return database.tx(async (tx) => {
    await tx.query('lock table projects in share row exclusive mode'); // nodes that start together make one key
    const [any] = await tx.query('select 1 from projects limit 1');
    if (any) return undefined;
    const projectId = newId('project');
    await tx.query("insert into projects (id, name) values ($1, 'default')", [projectId]);
    await tx.query(
      "insert into api_keys (id, project_id, name, role, hash) values ($1, $2, 'first key', 'server', $3)",
      [newId('key'), projectId, hash],
    );
    return secret;
  });
}

/**
 * Whose API key this is. `wanted` names another project to act in, which a `server` key may. Throws `unauthenticated`,
 * and `not-found` for a project that does not exist or is not the key's.
 */
export async function identifyKey(
  database: Database,
  secret: string | undefined,
  wanted?: string,
): Promise<CallerIdentity> {
  const [row] =
    secret?.startsWith('sk_') === true
      ? await database.query<{ id: KeyId; project_id: ProjectId; role: Role; stale: boolean }>(
          `select id, project_id, role, coalesce(last_used_at < now() - interval '1 minute', true) as stale
             from api_keys
            where (hash = $1 or (old_hash = $1 and old_until > now()))
              and revoked_at is null and (expires_at is null or expires_at > now())`,
          [hashSecret(secret)],
        )
      : [];
  if (!row) {
    throw new ProblemError(
      'unauthenticated',
      'This needs "Authorization: Bearer <API key>" (sk_…) of a key that is neither revoked nor expired, or the cookie of a session.',
    );
  }
  const { id: actor, role } = row;
  if (row.stale) await database.query('update api_keys set last_used_at = now() where id = $1', [actor]);
  if (wanted === undefined || wanted === row.project_id) return { actor, role, projectId: row.project_id };
  const [other] =
    role === 'server'
      ? await database.query<{ id: ProjectId }>('select id from projects where id = $1', [wanted])
      : [];
  if (!other) throw new ProblemError('not-found', `There is no project ${wanted}.`);
  return { actor, role, projectId: other.id };
}

/** Makes a key in the caller's project. Throws `forbidden` for a role above the caller's. */
export async function createKey(
  querier: Querier,
  caller: CallerIdentity,
  request: ApiKeyRequest,
): Promise<ApiKeyWithSecret> {
  refuseAbove(caller, request.role);
  const { secret, hash } = newSecret('sk');
  const [row] = await querier.query<KeyRow>(
    `insert into api_keys (id, project_id, name, role, hash, expires_at)
     values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond') returning *`,
    [newId('key'), caller.projectId, request.name, request.role, hash, request.expiresInMs ?? null],
  );
  if (!row) throw new TypeError('INSERT … RETURNING gave no row.');
  return { ...keyView(row), secret };
}

/**
 * Gives a key a new secret; the one before stays good for `overlapMs`. Throws `not-found`, `forbidden` for a key above
 * the caller, `illegal-transition` for one that is revoked.
 */
export async function rotateKey(
  querier: Querier,
  caller: CallerIdentity,
  id: KeyId,
  overlapMs = dayMs,
): Promise<ApiKeyWithSecret> {
  const { secret, hash } = newSecret('sk');
  await readChangeable(querier, caller, id);
  const [row] = await querier.query<KeyRow>(
    `update api_keys set old_hash = hash, old_until = now() + $3 * interval '1 millisecond', hash = $2
      where id = $1 and revoked_at is null returning *`,
    [id, hash, overlapMs],
  );
  if (!row) throw new ProblemError('illegal-transition', `Key ${id} was revoked. Create another one.`);
  return { ...keyView(row), secret };
}

/** Revokes a key of the caller's project, once. Throws `not-found`, `forbidden`, and `illegal-transition` for the caller's own. */
export async function revokeKey(querier: Querier, caller: CallerIdentity, id: KeyId): Promise<ApiKey> {
  await readChangeable(querier, caller, id);
  if (id === caller.actor) {
    throw new ProblemError(
      'illegal-transition',
      'A key cannot revoke itself: that could leave nobody in. Use another key of this role or above.',
    );
  }
  const [row] = await querier.query<KeyRow>(
    'update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning *',
    [id],
  );
  if (!row) throw new ProblemError('not-found', `There is no key ${id}.`);
  return keyView(row);
}

export async function readKey(querier: Querier, projectId: ProjectId, id: KeyId): Promise<ApiKey> {
  const [row] = await querier.query<KeyRow>('select * from api_keys where id = $1 and project_id = $2', [
    id,
    projectId,
  ]);
  if (!row) throw new ProblemError('not-found', `There is no key ${id}.`);
  return keyView(row);
}

/** A key as it reads itself, whatever project it acts in. */
export async function readOwnKey(database: Database, id: KeyId): Promise<ApiKey> {
  const [row] = await database.query<KeyRow>('select * from api_keys where id = $1', [id]);
  if (!row) throw new ProblemError('not-found', `There is no key ${id}.`);
  return keyView(row);
}

export function keyView(row: KeyRow): ApiKey {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    oldSecretUntil: row.old_until?.toISOString() ?? null,
  };
}

/** Whoever may change a key can become it: so only those at least as high may. */
async function readChangeable(querier: Querier, caller: CallerIdentity, id: KeyId): Promise<void> {
  refuseAbove(caller, (await readKey(querier, caller.projectId, id)).role);
}

function refuseAbove(caller: CallerIdentity, role: Role): void {
  if (isAtLeast(caller.role, role)) return;
  throw new ProblemError(
    'forbidden',
    `Who has the role ${caller.role} may not make or change a key of role ${role}.`,
  );
}
