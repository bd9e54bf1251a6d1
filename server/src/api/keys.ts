import { ProblemError, type KeyId, type ProjectId } from '@starling/protocol';
import { newId } from '../coordinator/context.ts';
import { hashSecret, newSecret } from '../devices/secrets.ts';
import type { Database } from '../storage/database.ts';

/** Who calls the admin API. */
export interface KeyIdentity {
  keyId: KeyId;
  projectId: ProjectId;
}

/**
 * At the first start of an empty database: makes the project `default` and its first API key, and returns the
 * key. It is shown this once; the database keeps its hash.
 */
export async function createFirstKey(database: Database): Promise<string | undefined> {
  const { secret, hash } = newSecret('sk');
  return database.tx(async (tx) => {
    await tx.query('lock table projects in share row exclusive mode'); // nodes that start together make one key
    const [any] = await tx.query('select 1 from projects limit 1');
    if (any) return undefined;
    const projectId = newId('project');
    await tx.query("insert into projects (id, name) values ($1, 'default')", [projectId]);
    await tx.query("insert into api_keys (id, project_id, name, hash) values ($1, $2, 'first key', $3)", [
      newId('key'),
      projectId,
      hash,
    ]);
    return secret;
  });
}

/** Whose API key this is. Throws `unauthenticated`. */
export async function identifyKey(database: Database, secret: string | undefined): Promise<KeyIdentity> {
  const [row] =
    secret?.startsWith('sk_') === true
      ? await database.query<{ id: KeyId; project_id: ProjectId }>(
          'select id, project_id from api_keys where hash = $1 and revoked_at is null',
          [hashSecret(secret)],
        )
      : [];
  if (!row) {
    throw new ProblemError(
      'unauthenticated',
      'This needs "Authorization: Bearer <API key>" (sk_…, printed at the first start of the server).',
    );
  }
  return { keyId: row.id, projectId: row.project_id };
}
