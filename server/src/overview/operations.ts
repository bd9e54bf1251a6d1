import type { ProjectId } from '@starling/protocol';
import type { Load, Operations } from '@starling/protocol/api';
import type { CallerIdentity } from '../access/caller.ts';
import { isAlive } from '../coordinator/nodes.ts';
import { liveStates } from '../coordinator/rows.ts';
import type { NodeHealth } from '../observability/node-health.ts';
import type { Querier } from '../storage/database.ts';

/**
 * How the server is, for who runs it: the process that answers, and what the caller's project waits for. Other projects
 * are seen by a `server` key alone, and only as sums.
 */
export async function operationsOf(
  querier: Querier,
  node: NodeHealth,
  { projectId, role }: CallerIdentity,
): Promise<Operations> {
  const [nodes] = await querier.query<{ alive: number }>(
    `select count(*)::int as alive from nodes n where ${isAlive('n')}`,
  );
  return {
    node: await node.read(),
    nodesAlive: nodes?.alive ?? 0,
    project: await loadOf(querier, projectId),
    everything:
      role === 'server'
        ? { ...(await loadOf(querier, null)), databaseBytes: await databaseBytes(querier) }
        : null,
  };
}

/** What waits and runs in a project, or in all of them: from indexes that hold nothing else. */
async function loadOf(querier: Querier, projectId: ProjectId | null): Promise<Load> {
  const own = (row: string) => `($1::text is null or ${row}.project_id = $1)`;
  const [load] = await querier.query<Load>(
    `select
       (select jsonb_build_object(
                 'waiting', count(*) filter (where state = 'waiting'), 'running', count(*) filter (where state = 'running'),
                 'longestWaitMs', coalesce(${msSince("min(created_at) filter (where state = 'waiting')")}, 0))
          from jobs j where ended_at is null and ${own('j')}) as jobs,
       ${tally(`select state from rounds r where ended_at is null and ${own('r')}`)} as rounds,
       (select coalesce(greatest(0, ${msSince('min(deadline)')}), 0)
          from rounds r where ended_at is null and ${own('r')}) as "overdueMs",
       ${tally(`select state from assignments a where state = any($2) and ${own('a')}`)} as assignments,
       ${tally(`select g.state from groups g join rounds r on r.id = g.round_id
                 where g.secure and g.ended_at is null and ${own('r')}`)} as groups,
       (select jsonb_build_object('updates', count(*), 'bytes', coalesce(sum(a.update_bytes), 0))
          from rounds r join assignments a on a.round_id = r.id
         where r.ended_at is null and a.state = 'uploaded' and ${own('r')}) as staged,
       (select jsonb_build_object('count', count(*), 'bytes', coalesce(sum(bytes), 0))
          from (select sha256, max(bytes) as bytes from blobs b where ${own('b')} group by sha256) b) as blobs`,
    [projectId, liveStates],
  );
  if (!load) throw new TypeError('A SELECT without FROM gave no row.');
  return load;
}

function tally(states: string): string {
  return `(select coalesce(jsonb_object_agg(state, n), '{}') from
            (select state, count(*) as n from (${states}) s group by state) t)`;
}

function msSince(moment: string): string {
  return `(extract(epoch from now() - ${moment}) * 1000)::bigint`;
}

async function databaseBytes(querier: Querier): Promise<number> {
  const [size] = await querier.query<{ bytes: number }>(
    'select pg_database_size(current_database())::bigint as bytes',
  );
  return size?.bytes ?? 0;
}
