import {
  assignmentTransitions,
  groupTransitions,
  jobTransitions,
  roundTransitions,
  taskTransitions,
} from '@starling/protocol';
import { liveStates } from '../rows.ts';
import { actionOf } from './simulated-operator.ts';
import type { Move, VirtualDatabase } from './virtual-database.ts';

/** What holds of the rows at every moment, whoever died: each names what is wrong and with what. */
const rules: Readonly<Record<string, string>> = {
  'an ended round has an assignment under way': `
    select a.id from assignments a join rounds r on r.id = a.round_id
     where r.ended_at is not null and a.state not in ('counted', 'dropped')`,
  'an ended round has a group under way': `
    select g.id from groups g join rounds r on r.id = g.round_id where r.ended_at is not null and g.ended_at is null`,
  'a round is published below its minimum': `
    select r.id from rounds r where r.state = 'published'
       and (select count(*) from assignments a where a.round_id = r.id and a.state = 'counted') < r.minimum`,
  'an update is counted in a round that is not published': `
    select a.id from assignments a join rounds r on r.id = a.round_id where a.state = 'counted' and r.state <> 'published'`,
  'a round says that it counted others than it did': `
    select r.id from rounds r where r.state = 'published' and (r.metrics ->> 'devices')::int is distinct from
       (select count(*) from assignments a where a.round_id = r.id and a.state = 'counted')`,
  'a round has another number of versions than its kind and state allow': `
    select r.id from rounds r where (select count(*) from model_versions v where v.round_id = r.id)
       <> case when r.state = 'published' and r.kind <> 'evaluation' then 1 else 0 end`,
  'a round names another version than it published': `
    select r.id from rounds r left join model_versions v on v.round_id = r.id
     where r.published_version is distinct from v.id`,
  'versions of a task are no chain': `
    select v.id from model_versions v left join model_versions p on p.id = v.parent
     where v.number > 0 and (p.task_id is distinct from v.task_id or p.number <> v.number - 1)`,
  'a task is not at its newest version': `
    select t.id from tasks t where t.current_version <>
      (select v.id from model_versions v where v.task_id = t.id order by v.number desc limit 1)`,
  'a task counts other rounds than it published': `
    select t.id from tasks t where t.rounds_published <>
      (select count(*) from rounds r where r.task_id = t.id and r.kind = 'training' and r.state = 'published')`,
  'a device is offered a round that no longer selects': `
    select a.id from assignments a join rounds r on r.id = a.round_id where a.state = 'offered' and r.state <> 'selecting'`,
  'a round is closed with a device at work': `
    select a.id from assignments a join rounds r on r.id = a.round_id
     where r.closed_at is not null and a.state = any($1)`,
  'a task has two rounds of its plan under way': `
    select task_id as id from rounds where ended_at is null and not requested group by task_id having count(*) > 1`,
  'a running task has nothing under way': `
    select t.id from tasks t where t.state = 'running'
       and not exists (select 1 from rounds r where r.task_id = t.id and r.ended_at is null and not r.requested)
       and not exists (select 1 from jobs j where j.task_id = t.id and j.ended_at is null and j.step is not null)`,
  'a cancelled task has a round under way': `
    select t.id from tasks t join rounds r on r.task_id = t.id
     where t.state = 'cancelled' and r.ended_at is null and not r.requested`,
  'a row has an end without being over, or the other way round': `
    select id from rounds where (ended_at is not null) <> (state in ('published', 'abandoned'))
    union all select id from groups where (ended_at is not null) <> (state in ('summed', 'aborted'))
    union all select id from assignments where (ended_at is not null) <> (state in ('counted', 'dropped'))
    union all select id from jobs where (ended_at is not null) <> (state in ('succeeded', 'failed', 'cancelled'))`,
  'something ended badly without a reason': `
    select id from rounds where state = 'abandoned' and reason is null
    union all select id from assignments where state = 'dropped' and reason is null
    union all select id from groups where state = 'aborted' and reason is null`,
  'a round is abandoned before its window is over': `
    select id from rounds where reason = 'too-few-devices' and ended_at < deadline`,
  'a revoked device is at work': `
    select a.id from assignments a join devices d on d.id = a.device_id where d.state = 'revoked' and a.state = any($1)
       and not exists (select 1 from groups g where g.id = a.group_id and g.secure)`,
  'an acknowledged update is lost': `
    select a.id from assignments a join rounds r on r.id = a.round_id
     where a.id = any($2) and a.state not in ('uploaded', 'counted') and r.state <> 'abandoned'`,
};

/** What only an operator brings about, by the object that is asked for: `done` is what then holds of its row. */
const orders: readonly { table: string; action: string; done: string; only: string }[] = [
  { table: 'tasks', action: actionOf.cancel, done: "state = 'cancelled'", only: "state = 'cancelled'" },
  { table: 'rounds', action: actionOf.abort, done: 'ended_at is not null', only: "reason = 'aborted'" },
  { table: 'devices', action: actionOf.revoke, done: "state = 'revoked'", only: "state = 'revoked'" },
  {
    table: 'jobs',
    action: actionOf['cancel-job'],
    done: 'cancel_requested or ended_at is not null',
    only: "state = 'cancelled' and exists (select 1 from tasks t where t.id = o.task_id and t.state <> 'cancelled')",
  },
];

/** The audit log tells what operators did: no less, and no more. */
const auditRules: Readonly<Record<string, string>> = {
  'an end in the audit log is of nothing that was asked for': `
    select e.sequence::text as id from audit_log e left join audit_log a
        on a.project_id = e.project_id and a.sequence = e.outcome_of and a.outcome_of is null
       and a.action = e.action
     where e.outcome_of is not null and a.sequence is null`,
  ...Object.fromEntries(
    orders.flatMap(({ table, action, done, only }) => [
      [
        `a row of ${table} is as ${action} alone makes it, and nobody asked for that`,
        `select o.id from ${table} o where ${only}
            and not exists (select 1 from audit_log a where a.action = '${action}' and a.object = o.id)`,
      ],
      [
        `the audit log has ${action} as done, and it is not`,
        `select o.id from ${table} o join audit_log a on a.action = '${action}' and a.object = o.id
           join audit_log e on e.outcome_of = a.sequence and e.status = 200 where not (${done})`,
      ],
    ]),
  ),
};

const allRules = Object.entries({ ...rules, ...auditRules })
  .map(([name, sql]) => `select '${name}' as broken, found.id from (${sql}) as found`)
  .join('\nunion all\n');

const tables = {
  tasks: taskTransitions,
  rounds: roundTransitions,
  groups: groupTransitions,
  assignments: assignmentTransitions,
  jobs: jobTransitions,
} as const satisfies Record<Move['machine'], Readonly<Record<string, readonly string[]>>>;

/** States in which a row is made. A group is made with its rows, so that it is never seen forming. */
const first: Record<Move['machine'], readonly string[]> = {
  tasks: ['draft'],
  rounds: ['selecting'],
  groups: ['keys', 'uploads'],
  assignments: ['offered'],
  jobs: ['waiting'],
};

/** Every rule that the rows break, if any has moved since the last look, and every change of state since then that no table has. */
export async function brokenRules(
  database: VirtualDatabase,
  acknowledged: readonly string[],
): Promise<string[]> {
  const moves = await database.moves();
  if (moves.length === 0) return [];
  const rows = await database.prepared<{ broken: string; id: string }>(allRules, [liveStates, acknowledged]);
  const illegal = moves.filter((move) => !isLegal(move));
  return [
    ...rows.map(({ broken, id }) => `${broken}: ${id}`),
    ...illegal.map(
      ({ machine, id, before, after }) => `${machine} ${id} went from ${before ?? 'nothing'} to ${after}`,
    ),
  ];
}

function isLegal({ machine, before, after }: Move): boolean {
  if (before === null) return first[machine].includes(after);
  const table: Readonly<Record<string, readonly string[]>> = tables[machine];
  return table[before]?.includes(after) ?? false;
}
