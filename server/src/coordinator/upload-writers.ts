import { ProblemError, type AssignmentId } from '@starling/protocol';
import type { Context } from './context.ts';
import { isDead } from './nodes.ts';

/**
 * Runs `work` while no other node writes this upload: parts that come over two nodes at once would mix. Throws ProblemError
 * `upload-busy`. Within this process staging lets in one at a time, so a row of this node's is one that was left behind.
 */
export async function asOnlyWriter<T>(
  { database, nodes, log }: Pick<Context, 'database' | 'nodes' | 'log'>,
  id: AssignmentId,
  work: () => Promise<T>,
): Promise<T> {
  if (nodes.isAlone) return work();
  const [taken] = await database.query(
    `insert into upload_writers as w (assignment_id, node) values ($1, $2)
     on conflict (assignment_id) do update set node = excluded.node
       where w.node = excluded.node or ${isDead('w.node')}
     returning 1`,
    [id, nodes.id],
  );
  if (!taken) {
    throw new ProblemError(
      'upload-busy',
      'Another node is writing this upload. Wait for it, then ask for the offset.',
    );
  }
  try {
    return await work();
  } finally {
    await database
      .query('delete from upload_writers where assignment_id = $1 and node = $2', [id, nodes.id])
      .catch((error: unknown) => {
        log.warn({ error, assignmentId: id }, 'an upload is still held; its device goes on at this node');
      });
  }
}

/** Lets go of uploads that dead nodes held. */
export async function freeUploads({ database }: Pick<Context, 'database'>): Promise<void> {
  await database.query(`delete from upload_writers w where ${isDead('w.node')}`);
}
