import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { KeyId, ProjectId } from '@starling/protocol';
import { newId } from '../coordinator/context.ts';
import { newSecret } from '../devices/secrets.ts';
import { migrate } from '../storage/migrate.ts';
import { databaseDirectory, openDatabase, type StoragePlace } from '../storage/open.ts';
import { recordEnded } from './audit.ts';

/** There is no server whose key could have been lost. */
export class NothingToRecover extends Error {
  override readonly name = 'NothingToRecover';
  readonly code = 'nothing-to-recover';
}

export interface RecoveredKey {
  id: KeyId;
  projectId: ProjectId;
  /** Shown this once. */
  secret: string;
}

/**
 * Makes a new API key of role `server` in the oldest project, for who holds the database and lost every key; the audit
 * log says so. Throws `DirectoryInUse` while a server has the embedded database open, {@link NothingToRecover}, and as
 * `openDatabase` does.
 */
export async function recoverServerKey(place: StoragePlace): Promise<RecoveredKey> {
  const nothing = new NothingToRecover(
    `There is no server in ${place.dataDirectory}: name the data directory or the database of one.`,
  );
  if (place.databaseUrl === undefined && !existsSync(databaseDirectory(place))) throw nothing;
  const database = await openDatabase(place);
  try {
    await migrate(database);
    const { secret, hash } = newSecret('sk');
    const id = newId('key');
    return await database.tx(async (tx) => {
      const [project] = await tx.query<{ id: ProjectId }>(
        'select id from projects order by created_at, id limit 1',
      );
      if (!project) throw nothing;
      await tx.query(
        "insert into api_keys (id, project_id, name, role, hash) values ($1, $2, 'recovered key', 'server', $3)",
        [id, project.id, hash],
      );
      await recordEnded(
        tx,
        project.id,
        {
          actor: id,
          action: 'recoverKey',
          object: id,
          requestDigest: createHash('sha256').update('recoverKey').digest('hex'),
          from: 'the machine that holds the database',
        },
        200,
      );
      return { id, projectId: project.id, secret };
    });
  } finally {
    await database.close();
  }
}
