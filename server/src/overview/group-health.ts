import type { RoundId, TaskId } from '@starling/protocol';
import { groupHealthRounds, type GroupHealth } from '@starling/protocol/api';
import { leastOf, neededOf } from '../coordinator/group-sizes.ts';
import type { Querier } from '../storage/database.ts';

interface HealthRow {
  round: RoundId;
  sequence: number;
  groups: number;
  summed: number;
  aborted: number;
  abortedBy: Record<string, number> | null;
  devices: number;
  lost: number;
  unused: number;
  smallest: number;
  largest: number;
  medianMs: number | null;
}

/** How the groups of a secure task did in its last rounds: counts alone, made by the database. */
export async function groupHealthOf(querier: Querier, taskId: TaskId): Promise<GroupHealth> {
  const [task] = await querier.query<{ least: number | null }>(
    `select ${leastOf('plan')} as least from tasks where id = $1`,
    [taskId],
  );
  const minimum = task?.least ?? null;
  if (minimum === null) return { minimum, rounds: [] };
  const rows = await querier.query<HealthRow>(
    `with looked as (select id, sequence from rounds r where task_id = $1
                        and exists (select 1 from groups g where g.round_id = r.id and g.secure)
                      order by sequence desc limit $2),
          g as (select l.id as round, l.sequence, g.state, g.reason, g.ended_at, g.ended_at - g.created_at as took,
                       count(a.id) as size, count(a.id) filter (where a.uploaded_at is not null) as stayed
                  from looked l join groups g on g.round_id = l.id and g.secure
                       left join assignments a on a.group_id = g.id
                 group by l.id, l.sequence, g.id),
          reasons as (select round, jsonb_object_agg(reason, n) as "abortedBy"
                        from (select round, split_part(coalesce(reason, ''), ':', 1) as reason, count(*) as n
                                from g where state = 'aborted' group by 1, 2) r group by round)
     select g.round, g.sequence, count(*)::int as groups,
            count(*) filter (where state = 'summed')::int as summed,
            count(*) filter (where state = 'aborted')::int as aborted,
            max(reasons."abortedBy"::text)::jsonb as "abortedBy",
            coalesce(sum(size) filter (where ended_at is not null), 0)::int as devices,
            coalesce(sum(size - stayed) filter (where state = 'summed'), 0)::int as lost,
            coalesce(sum(size) filter (where state = 'aborted'), 0)::int as unused,
            min(size)::int as smallest, max(size)::int as largest,
            (percentile_cont(0.5) within group (order by extract(epoch from took) * 1000)
               filter (where state = 'summed'))::bigint as "medianMs"
       from g left join reasons on reasons.round = g.round group by g.round, g.sequence order by g.sequence`,
    [taskId, groupHealthRounds],
  );
  return {
    minimum,
    rounds: rows.map((row) => ({
      ...row,
      abortedBy: row.abortedBy ?? {},
      needed: neededOf(row.smallest, minimum),
    })),
  };
}
