import type {
  Assignment,
  Funnel,
  GroupSummary,
  ModelVersion,
  Round,
  RoundDetail,
  RoundId,
  ServedModel,
  Task,
  TaskId,
  VersionId,
} from '@starling/protocol';
import { ProblemError } from '@starling/protocol';
import { listedGroups } from '@starling/protocol/schemas';
import type { Querier } from '../storage/database.ts';
import { hasLearnedRates } from './blocks.ts';
import { leastOf, neededOf } from './group-sizes.ts';
import type { Context } from './context.ts';
import type { AssignmentRow, GroupRow, RoundRow, TaskRow, VersionRow } from './rows.ts';

/** Rows as the resources that people and devices see. */
export function taskView(row: TaskRow): Task {
  return {
    id: row.id,
    name: row.name,
    model: row.model_digest,
    state: row.state,
    reason: row.reason,
    plan: row.plan,
    roundsPublished: row.rounds_published,
    currentVersion: row.current_version,
    servedVersion: row.served_version ?? row.current_version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

export function roundView(row: RoundRow): Round {
  return {
    id: row.id,
    taskId: row.task_id,
    sequence: row.sequence,
    kind: row.kind,
    number: row.number,
    state: row.state,
    reason: row.reason,
    goal: row.goal,
    minimum: row.minimum,
    baseVersion: row.base_version,
    publishedVersion: row.published_version,
    evaluation: row.evaluation,
    metrics: row.metrics,
    bytesUp: row.bytes_up,
    openedAt: row.opened_at.toISOString(),
    offersFrom: row.offers_from?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

export function versionView(row: VersionRow): ModelVersion {
  return {
    id: row.id,
    taskId: row.task_id,
    number: row.number,
    digest: row.digest,
    weights: row.weights,
    bytes: row.bytes,
    parent: row.parent,
    round: row.round_id,
    job: row.job_id,
    prunedAt: row.pruned_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}

export async function roundDetail(querier: Querier, row: RoundRow): Promise<RoundDetail> {
  const [funnel, groups] = [await funnelOf(querier, row.id), await groupsOf(querier, row.id)];
  return { ...roundView(row), funnel, groups };
}

/** Groups of a secure round, by what became of them; of clear updates, which are groups of one, the funnel says all. */
async function groupsOf(querier: Querier, roundId: RoundId): Promise<GroupSummary[]> {
  const rows = await querier.query<GroupRow>(
    `select g.id, g.state, g.reason, g.created_at, g.ended_at, count(a.id)::int as size,
            count(a.id) filter (where a.uploaded_at is not null)::int as survivors, ${leastOf('t.plan')} as least
       from groups g join rounds r on r.id = g.round_id join tasks t on t.id = r.task_id
            left join assignments a on a.group_id = g.id
      where g.round_id = $1 and g.secure group by g.id, t.plan
      order by g.state <> 'aborted', g.created_at, g.id limit $2`,
    [roundId, listedGroups],
  );
  return rows.map((row) => ({
    id: row.id,
    state: row.state,
    reason: row.reason,
    size: row.size,
    needed: neededOf(row.size, row.least),
    survivors: row.state === 'summed' ? row.survivors : null,
    openedAt: row.created_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  }));
}

async function funnelOf(querier: Querier, roundId: RoundId): Promise<Funnel> {
  const rows = await querier.query<{ state: string; reason: string | null; count: number }>(
    `select state, case when state = 'dropped' then split_part(reason, ':', 1) end as reason, count(*)::int as count
       from assignments where round_id = $1 group by 1, 2`,
    [roundId],
  );
  const funnel: Funnel = { states: {}, dropped: {} };
  for (const { state, reason, count } of rows) {
    funnel.states[state] = (funnel.states[state] ?? 0) + count;
    if (reason !== null) funnel.dropped[reason] = count;
  }
  return funnel;
}

export async function readTask(querier: Querier, id: TaskId): Promise<TaskRow> {
  const [row] = await querier.query<TaskRow>('select * from tasks where id = $1', [id]);
  if (!row) throw new ProblemError('not-found', `There is no task ${id}.`);
  return row;
}

export async function readRound(querier: Querier, id: RoundId): Promise<RoundRow> {
  const [row] = await querier.query<RoundRow>('select * from rounds where id = $1', [id]);
  if (!row) throw new ProblemError('not-found', `There is no round ${id}.`);
  return row;
}

export async function readVersion(querier: Querier, id: VersionId): Promise<VersionRow> {
  const [row] = await querier.query<VersionRow>('select * from model_versions where id = $1', [id]);
  if (!row) throw new ProblemError('not-found', `There is no model version ${id}.`);
  return row;
}

/** Throws `not-found` for a version whose weights are gone. */
export function refusePruned({ id, pruned_at: prunedAt }: VersionRow): void {
  if (prunedAt === null) return;
  throw new ProblemError('not-found', `The weights of version ${id} were removed by the server's retention.`);
}

export function servedModel(task: TaskRow, version: VersionRow): ServedModel {
  return {
    taskId: task.id,
    version: version.id,
    ir: task.model_digest,
    weights: version.weights,
    learnedRates: hasLearnedRates(task.plan),
    adaptation: task.plan.adaptation,
  };
}

/** An assignment with the time left in its window, in milliseconds: what {@link assignmentColumns} selects. */
export type TimedAssignment = AssignmentRow & { remaining_ms: number };

/** Columns of an assignment `a` of round `r`, as a device is told. */
export const assignmentColumns = `a.*, greatest(0, extract(epoch from
  (case when a.state in ('accepted', 'training') then coalesce(r.ready_by, r.deadline) else r.deadline end)
  - now()) * 1000)::bigint as remaining_ms`;

/** An assignment as its device sees it. */
export async function assignmentView(
  context: Pick<Context, 'rounds'>,
  row: TimedAssignment,
): Promise<Assignment> {
  const facts = await context.rounds.get(row.round_id);
  return {
    id: row.id,
    taskId: row.task_id,
    roundId: row.round_id,
    roundNumber: facts.number,
    state: row.state,
    reason: row.reason,
    seed: row.seed,
    work: facts.work,
    model: facts.served,
    blocks: [...facts.blocks],
    maxWeight: facts.plan.maxWeight,
    eligibility: facts.plan.eligibility ?? {},
    ...(facts.secure && { secure: { ...facts.secure.offered, groupId: row.group_id } }),
    remainingMs: row.remaining_ms,
  };
}
