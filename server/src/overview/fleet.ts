import type { DeviceId, ProjectId, TaskId } from '@starling/protocol';
import type { AlertKind, Fleet } from '@starling/protocol/api';
import type { Presence } from '../coordinator/presence.ts';
import { liveStates } from '../coordinator/rows.ts';
import type { Querier } from '../storage/database.ts';

/** Rounds in a row that were abandoned, from which on a person is told. */
const abandonedInARow = 2;

/** How the fleet of a project is: counts alone, made by the database, however many devices there are. */
export async function fleetOf(querier: Querier, presence: Presence, projectId: ProjectId): Promise<Fleet> {
  const [devices] = await querier.query<{ active: number; revoked: number; day: number; week: number }>(
    `select count(*) filter (where state = 'active')::int as active,
            count(*) filter (where state = 'revoked' and erased_at is null)::int as revoked,
            count(*) filter (where state = 'active' and seen_at > now() - interval '1 day')::int as day,
            count(*) filter (where state = 'active' and seen_at > now() - interval '7 days')::int as week
       from devices where project_id = $1`,
    [projectId],
  );
  const present = presence.of(projectId);
  const online = present.length;
  const work = await workOf(querier, projectId);
  return {
    devices: {
      ...{ active: 0, revoked: 0, day: 0, week: 0, ...devices, online },
      eligible: await eligibleOf(querier, projectId, present),
      working: Object.values(work.assignments).reduce((sum, count) => sum + count, 0),
    },
    platforms: await tally(querier, projectId, 'platform'),
    sdkVersions: await tally(querier, projectId, 'sdk_version'),
    networks: await tally(querier, projectId, "coalesce(network, '')"),
    enrolled: await enrolledByDay(querier, projectId),
    work,
    day: await lastDay(querier, projectId),
    alerts: await alertsOf(querier, projectId, online),
  };
}

function tally(
  querier: Querier,
  projectId: ProjectId,
  column: 'platform' | 'sdk_version' | "coalesce(network, '')",
) {
  return querier.query<Fleet['platforms'][number]>(
    `select ${column} as name, count(*)::int as devices,
            count(*) filter (where seen_at > now() - interval '7 days')::int as seen
       from devices where project_id = $1 and state = 'active' group by 1 order by 2 desc, 1 limit 20`,
    [projectId],
  );
}

/** Those that the next round of a task could be offered to, but for what is looked at device by device when it asks. */
async function eligibleOf(
  querier: Querier,
  projectId: ProjectId,
  present: readonly DeviceId[],
): Promise<number> {
  if (present.length === 0) return 0;
  const [counted] = await querier.query<{ eligible: number }>(
    `with cohorts as (select distinct coalesce(plan -> 'cohort' -> 'select', '{}') as labels
                        from tasks where project_id = $1 and state = 'running')
     select count(*)::int as eligible from devices d
      where d.project_id = $1 and d.state = 'active' and d.id = any($2)
        and exists (select 1 from cohorts c where d.labels @> c.labels)
        and not exists (select 1 from assignments a where a.device_id = d.id and a.state = any($3))`,
    [projectId, present, liveStates],
  );
  return counted?.eligible ?? 0;
}

function enrolledByDay(querier: Querier, projectId: ProjectId) {
  return querier.query<Fleet['enrolled'][number]>(
    `select to_char(day, 'YYYY-MM-DD') as day, count(d.id)::int as devices
       from generate_series(date_trunc('day', now() at time zone 'UTC') - interval '13 days',
                            date_trunc('day', now() at time zone 'UTC'), interval '1 day') as day
       left join devices d on d.project_id = $1 and d.created_at at time zone 'UTC' >= day
                          and d.created_at at time zone 'UTC' < day + interval '1 day'
      group by 1 order by 1`,
    [projectId],
  );
}

async function workOf(querier: Querier, projectId: ProjectId): Promise<Fleet['work']> {
  const [work] = await querier.query<Omit<Fleet['work'], 'assignments'>>(
    `select (select count(*) from tasks where project_id = $1 and state = 'running')::int as tasks,
            (select count(*) from rounds where project_id = $1 and ended_at is null)::int as rounds,
            (select count(*) from jobs where project_id = $1 and ended_at is null)::int as jobs`,
    [projectId],
  );
  const assignments = await querier.query<{ state: string; count: number }>(
    `select a.state, count(*)::int as count from rounds r join assignments a on a.round_id = r.id
      where r.project_id = $1 and r.ended_at is null and a.state = any($2) group by 1`,
    [projectId, liveStates],
  );
  return {
    ...(work ?? { tasks: 0, rounds: 0, jobs: 0 }),
    assignments: Object.fromEntries(assignments.map(({ state, count }) => [state, count])),
  };
}

async function lastDay(querier: Querier, projectId: ProjectId): Promise<Fleet['day']> {
  const ended = `from rounds r where r.project_id = $1 and r.ended_at > now() - interval '1 day'`;
  const [rounds] = await querier.query<{ published: number; abandoned: number; bytesUp: number }>(
    `select count(*) filter (where state = 'published')::int as published,
            count(*) filter (where state = 'abandoned')::int as abandoned,
            coalesce(sum(bytes_up), 0)::bigint as "bytesUp" ${ended}`,
    [projectId],
  );
  const ends = await querier.query<{ reason: string | null; count: number }>(
    `select case when a.state = 'dropped' then split_part(a.reason, ':', 1) end as reason, count(*)::int as count
       from assignments a where a.state in ('counted', 'dropped') and a.round_id in (select r.id ${ended}) group by 1`,
    [projectId],
  );
  const dropped: Record<string, number> = {};
  for (const { reason, count } of ends) if (reason !== null) dropped[reason] = count;
  const counted = ends.find(({ reason }) => reason === null)?.count ?? 0;
  return { ...(rounds ?? { published: 0, abandoned: 0, bytesUp: 0 }), counted, dropped };
}

async function alertsOf(querier: Querier, projectId: ProjectId, online: number): Promise<Fleet['alerts']> {
  const rows = await querier.query<{
    kind: AlertKind;
    task_id: TaskId;
    task: string;
    message: string | null;
    at: Date;
  }>(
    `select 'task-failed' as kind, id as task_id, name as task, reason as message, updated_at as at
       from tasks where project_id = $1 and state = 'failed' and updated_at > now() - interval '7 days'
     union all
     select 'rounds-abandoned', t.id, t.name, (array_agg(r.reason order by r.sequence desc))[1], max(r.ended_at)
       from tasks t cross join lateral
            (select * from rounds where task_id = t.id and ended_at is not null order by sequence desc limit $2) r
      where t.project_id = $1 and t.state = 'running'
      group by t.id, t.name having count(*) = $2 and bool_and(r.state = 'abandoned')
     union all
     select 'job-failed', t.id, t.name, j.message, j.ended_at
       from jobs j join tasks t on t.id = j.task_id
      where j.project_id = $1 and j.state = 'failed' and j.ended_at > now() - interval '1 day'
     union all
     select 'too-few-online', t.id, t.name, r.minimum::text, r.opened_at
       from rounds r join tasks t on t.id = r.task_id
      where r.project_id = $1 and r.state = 'selecting' and r.minimum > $3
      order by at desc limit 20`,
    [projectId, abandonedInARow, online],
  );
  return rows.map(({ kind, task_id: taskId, task, message, at }) => ({
    kind,
    taskId,
    task,
    message: message ?? '',
    at: at.toISOString(),
  }));
}
