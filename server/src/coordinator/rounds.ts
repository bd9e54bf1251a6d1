import {
  assignmentTransitions,
  roundTransitions,
  sourcesOf,
  type AbandonReason,
  type AssignmentId,
  type DeviceId,
  type DropReason,
  type EvaluationSpec,
  type GroupId,
  type Labels,
  type Plan,
  type ProjectId,
  type RoundId,
  type RoundKind,
  type TaskId,
  type VersionId,
} from '@starling/protocol';
import { observeRoundEnd } from '../observability/round-observation.ts';
import { DatabaseUnavailable, type Querier } from '../storage/database.ts';
import { BlobStoreFailed } from '../storage/s3-blobs.ts';
import { newId, type Context } from './context.ts';
import { announceAssignments, announceRound, announceTask } from './announce.ts';
import { updateByteLimit } from './contribution.ts';
import { groupsOf, type GroupSizes } from './group-sizes.ts';
import { publishRound } from './publish.ts';
import { cloudStepDue } from '../training/jobs.ts';
import { liveStates, type RoundRow, type TaskRow } from './rows.ts';
import { phaseWindowMs, startGroup } from './secure-groups.ts';
import { assignmentSeed, sampleCohort } from './sampling.ts';

/**
 * The life of a round: opened, offered to devices, trained, aggregated, published or abandoned. Every change is a
 * conditional update inside a transaction, so a change that two nodes (or a node and its restarted self) attempt
 * happens once. Whoever changes several rows locks the round before its assignments and groups: nodes that do so at
 * once wait for each other instead of colliding. Announcements and further steps follow after the transaction.
 */

/** Time that a node has to publish a closed round before another may do it. */
const publishLeaseMs = 60_000;

/**
 * A closed round whose publication fails so often, or ends its node so often, is abandoned: the next may do better. A
 * store that is away does not count.
 */
const mostPublishingTries = 5;

export interface RoundSpec {
  kind: RoundKind;
  number: number;
  goal: number;
  minimum: number;
  target: number;
  selection: Labels;
  evaluation: EvaluationSpec | null;
  /** Whether someone asked for it, outside the plan's own sequence of rounds. */
  requested: boolean;
}

/** What the plan wants next, or `undefined` when all its rounds are published. */
export async function nextRound(tx: Querier, task: TaskRow): Promise<RoundSpec | undefined> {
  const { plan, rounds_published: published } = task;
  const done = new Set(
    (
      await tx.query<{ kind: RoundKind; number: number }>(
        `select kind, number from rounds where task_id = $1 and not requested
            and (state = 'published' or kind = 'evaluation') and (kind = 'statistics' or number = $2)`,
        [task.id, published],
      )
    ).map(({ kind, number }) => (kind === 'statistics' ? kind : `${kind} ${number}`)),
  );
  const spec = (
    kind: RoundKind,
    cohort: { goal: number; minimum: number; select?: Labels },
    target: number,
  ) => ({
    kind,
    goal: cohort.goal,
    minimum: cohort.minimum,
    target,
    selection: cohort.select ?? {},
    evaluation: null,
    requested: false,
  });
  if (plan.statistics && !done.has('statistics')) {
    return { ...spec('statistics', plan.statistics, plan.statistics.goal), number: published };
  }
  const { evaluation } = plan;
  if (evaluation && published > 0 && published % evaluation.everyRounds === 0) {
    if (!done.has(`evaluation ${published}`)) {
      const base = spec('evaluation', evaluation.spec, evaluation.spec.goal);
      return { ...base, number: published, evaluation: evaluation.spec };
    }
  }
  if (published >= plan.rounds) return undefined;
  const target = Math.ceil(plan.cohort.goal * plan.cohort.overSelection);
  return { ...spec('training', plan.cohort, target), number: published + 1 };
}

/** Inserts a round in state `selecting`. The caller holds the task's row. */
export async function openRound(
  tx: Querier,
  task: TaskRow,
  spec: RoundSpec,
  baseVersion: VersionId = task.current_version,
): Promise<RoundRow> {
  const [round] = await tx.query<RoundRow>(
    `insert into rounds (id, project_id, task_id, sequence, kind, number, state, requested, evaluation, selection,
                         goal, minimum, target, base_version, deadline)
     select $1, $2, $3, coalesce(max(sequence), 0) + 1, $4, $5, 'selecting', $6, $7, $8, $9, $10, $11, $12,
            now() + $13 * interval '1 millisecond'
       from rounds where task_id = $3
     returning *`,
    [
      newId('round'),
      task.project_id,
      task.id,
      spec.kind,
      spec.number,
      spec.requested,
      spec.evaluation,
      spec.selection,
      spec.goal,
      spec.minimum,
      spec.target,
      baseVersion,
      task.plan.windows.selectingMs,
    ],
  );
  if (!round) throw new TypeError('INSERT … RETURNING gave no row.');
  return round;
}

/**
 * Takes a running task to its next round, or completes it. Does nothing while a round of the plan is under way.
 * Runs inside the transaction that ended the last round, so a task never stands still between two of them.
 */
export async function advanceTask(tx: Querier, taskId: TaskId): Promise<RoundRow | undefined> {
  const [task] = await tx.query<TaskRow>(
    "select * from tasks where id = $1 and state = 'running' for update",
    [taskId],
  );
  if (!task) return undefined;
  const [busy] = await tx.query(
    'select 1 from rounds where task_id = $1 and ended_at is null and not requested limit 1',
    [taskId],
  );
  if (busy) return undefined;
  if (await cloudStepDue(tx, task)) return undefined;
  const spec = await nextRound(tx, task);
  if (spec) return openRound(tx, task, spec);
  await tx.query(
    "update tasks set state = 'completed', updated_at = now() where id = $1 and state = 'running'",
    [taskId],
  );
  return undefined;
}

/**
 * Offers every selecting round of a project, the oldest first. So do the devices that a round has let go: two tasks that
 * want more devices than there are would else keep their halves for ever.
 */
export async function offerRounds(context: Context, projectId: ProjectId): Promise<void> {
  const rounds = await context.database.query<{ id: RoundId }>(
    "select id from rounds where project_id = $1 and state = 'selecting' order by opened_at, id",
    [projectId],
  );
  for (const round of rounds) await offerRound(context, round.id);
}

/** Offers a selecting round to devices that are present, idle and wanted, until enough have been asked. */
export function offerRound(context: Context, roundId: RoundId): Promise<void> {
  return context.observer.step('round select', { 'starling.round': roundId }, () => offer(context, roundId));
}

async function offer(context: Context, roundId: RoundId): Promise<void> {
  const { database, presence } = context;
  const { plan, base, blocks } = await context.rounds.get(roundId);
  const offered = await database.tx(async (tx) => {
    const [round] = await tx.query<RoundRow>(
      "select * from rounds where id = $1 and state = 'selecting' for update",
      [roundId],
    );
    if (!round) return [];
    const [{ asked } = { asked: 0 }] = await tx.query<{ asked: number }>(
      "select count(*)::int as asked from assignments where round_id = $1 and state <> 'dropped'",
      [roundId],
    );
    if (asked >= round.target) return [];
    const present = presence.of(round.project_id);
    if (present.length === 0) return [];
    const isTraining = round.kind === 'training';
    const separationMs = isTraining ? (plan.eligibility?.minSeparationMs ?? 0) : 0;
    const countTurns = isTraining && plan.cohort.withoutReplacement === true;
    const { roundsPerDay = null, bytesPerDay = null } = plan.quota ?? {};
    const candidates = await tx.query<{ id: DeviceId; public_key: string; turns: number }>(
      `select d.id, d.public_key,
              case when $8 then (select count(*)::int from assignments a join rounds r on r.id = a.round_id
                                  where a.device_id = d.id and a.task_id = $7 and a.uploaded_at is not null
                                    and r.kind = 'training')
                   else 0 end as turns
         from devices d
        where d.project_id = $1 and d.state = 'active' and d.id = any($2) and d.labels @> $3
          and not exists (select 1 from assignments a where a.device_id = d.id and a.state = any($4))
          and not exists (select 1 from assignments a where a.device_id = d.id and a.round_id = $5)
          and ($6 = 0 or not exists (
                select 1 from assignments a where a.device_id = d.id and a.task_id = $7
                   and a.uploaded_at > now() - $6 * interval '1 millisecond'))
          and (($9::int is null and $10::bigint is null) or (
                select count(*) < coalesce($9, 1 + count(*))
                       and coalesce(sum(v.bytes + coalesce(a.update_bytes, 0)), 0) + $11 <= coalesce($10, 2::bigint ^ 62)
                  from assignments a join rounds r on r.id = a.round_id join model_versions v on v.id = r.base_version
                 where a.device_id = d.id and a.task_id = $7 and a.accepted_at > now() - interval '1 day'))`,
      [
        ...[round.project_id, present, round.selection, liveStates, roundId, separationMs, round.task_id],
        ...[countTurns, roundsPerDay, bytesPerDay, base.bytes + updateByteLimit(blocks)],
      ],
    );
    const chosen = sampleCohort(candidates, round.target - asked, plan.seed, round.sequence);
    if (chosen.length === 0) return [];
    const rows = await tx.query<{ id: AssignmentId }>(
      `insert into assignments (id, project_id, task_id, round_id, device_id, state, seed)
       select t.id, $1, $2, $3, t.device_id, 'offered', t.seed
         from unnest($4::text[], $5::text[], $6::bigint[]) as t(id, device_id, seed)
       on conflict do nothing returning id`,
      [
        round.project_id,
        round.task_id,
        roundId,
        chosen.map(() => newId('assignment')),
        chosen.map((device) => device.id),
        chosen.map((device) => assignmentSeed(plan.seed, round.sequence, device.public_key)),
      ],
    );
    return rows.map((row) => row.id);
  });
  if (offered.length === 0) return;
  context.failpoint('devices-offered');
  await announceAssignments(context, offered);
  await announceRound(context, roundId);
}

/** How a window of a round closes: by its own deadline, or before it, since an operator or the round's goal wants it so. */
export type Closing = 'by-deadline' | 'now';

/** Starts the training window if enough devices have accepted: the target, or the minimum when the window closes. */
export async function startTraining(context: Context, roundId: RoundId, closing?: Closing): Promise<void> {
  const { plan } = await context.rounds.get(roundId);
  const dropped = await context.database.tx(async (tx) => {
    const [started] = await tx.query(
      `update rounds r set state = 'training', version = version + 1, training_at = now(),
              ready_by = now() + $2 * interval '1 millisecond', deadline = now() + $2 * interval '1 millisecond'
        where r.id = $1 and r.state = any($3) and ($5 or deadline <= now())
          and (select count(*) from assignments a where a.round_id = r.id and a.state not in ('offered', 'dropped'))
              >= case when $4 then r.minimum else r.target end
        returning r.id`,
      [
        roundId,
        plan.windows.trainingMs,
        sourcesOf(roundTransitions, 'training'),
        closing !== undefined,
        closing !== 'by-deadline',
      ],
    );
    return started && dropAssignments(tx, roundId, ['offered'], 'no-answer');
  });
  if (dropped) {
    context.failpoint('training-started');
    await announceAssignments(context, dropped);
    await announceRound(context, roundId);
    await groupReady(context, roundId);
  } else if (closing === 'by-deadline') {
    await abandonUnstarted(context, roundId);
  }
}

/** Abandons a round whose selecting window is over, unless it was extended meanwhile. */
async function abandonUnstarted(context: Context, roundId: RoundId): Promise<void> {
  const done = await context.database.tx(async (tx) => {
    const [round] = await tx.query<RoundRow>(
      "select * from rounds where id = $1 and state = 'selecting' and deadline <= now() for update",
      [roundId],
    );
    return round && abandon(tx, round, 'too-few-devices');
  });
  if (done) await afterAbandoning(context, done);
}

/**
 * Forms groups from devices that are ready. A clear update is a group of one that needs no keys, so it goes
 * straight to `uploads`. The round is `aggregating` from its first group's start. Devices are told, but for `tellers`,
 * who get it as the answer to their own message. Gives who was grouped.
 */
export function groupReady(
  context: Context,
  roundId: RoundId,
  tellers: ReadonlySet<AssignmentId> = new Set(),
): Promise<ReadonlySet<AssignmentId>> {
  return context.observer.step('round group', { 'starling.round': roundId }, () =>
    formGroups(context, roundId, tellers),
  );
}

async function formGroups(
  context: Context,
  roundId: RoundId,
  tellers: ReadonlySet<AssignmentId>,
): Promise<ReadonlySet<AssignmentId>> {
  const { plan } = await context.rounds.get(roundId);
  if (plan.secure) return groupSecurely(context, roundId, plan, plan.secure.groupSize, tellers);
  const grouped = await context.database.tx(async (tx) => {
    const [round] = await tx.query(
      "select 1 from rounds where id = $1 and state in ('training', 'aggregating') and closed_at is null for update",
      [roundId],
    );
    if (!round) return [];
    const ready = await tx.query<{ id: AssignmentId }>(
      "select id from assignments where round_id = $1 and state = 'ready' order by id for update",
      [roundId],
    );
    if (ready.length === 0) return [];
    const groups = ready.map(() => newId('group'));
    await tx.query(
      `with formed as (insert into groups (id, round_id, state)
                       select id, $3, 'uploads' from unnest($2::text[]) as t(id)),
            started as (update rounds set state = 'aggregating', version = version + 1,
                               aggregating_at = coalesce(aggregating_at, now()),
                               deadline = ready_by + $4 * interval '1 millisecond'
                         where id = $3 and state = any($5))
       update assignments a set state = 'grouped', group_id = t.group_id
         from unnest($1::text[], $2::text[]) as t(id, group_id) where a.id = t.id and a.state = 'ready'`,
      [
        ready.map((row) => row.id),
        groups,
        roundId,
        plan.windows.aggregatingMs,
        sourcesOf(roundTransitions, 'aggregating'),
      ],
    );
    return ready.map((row) => row.id);
  });
  if (grouped.length === 0) return new Set();
  grouped.forEach(() => {
    context.failpoint('group-formed');
  });
  await announceAssignments(
    context,
    grouped.filter((id) => !tellers.has(id)),
  );
  return new Set(grouped);
}

/** Forms groups of a secure task: of the size that the plan wants, or none yet. Devices that no group will take are dropped. */
async function groupSecurely(
  context: Context,
  roundId: RoundId,
  { windows }: Plan,
  groupSize: GroupSizes,
  tellers: ReadonlySet<AssignmentId>,
): Promise<ReadonlySet<AssignmentId>> {
  const done = await context.database.tx(async (tx) => {
    const [round] = await tx.query(
      `select 1 from rounds where id = $1 and state in ('training', 'aggregating') and closed_at is null for update`,
      [roundId],
    );
    if (!round) return undefined;
    const rows = await tx.query<{ id: AssignmentId; state: string }>(
      `select id, state from assignments where round_id = $1 and state in ('accepted', 'training', 'ready')
        order by id`,
      [roundId],
    );
    const ready = rows.filter(({ state }) => state === 'ready').map(({ id }) => id);
    const { sizes, left } = groupsOf(ready.length, rows.length - ready.length, groupSize);
    let taken = 0;
    const groups: GroupId[] = [];
    for (const size of sizes) {
      const id = newId('group');
      groups.push(id);
      await tx.query(
        `insert into groups (id, round_id, state, secure, node, deadline)
         values ($1, $2, 'keys', true, $4, now() + $3 * interval '1 millisecond')`,
        [id, roundId, phaseWindowMs(windows.aggregatingMs, 'keys'), context.nodes.id],
      );
      await tx.query(
        "update assignments set state = 'grouped', group_id = $2 where id = any($1) and state = 'ready'",
        [ready.slice(taken, taken + size), id],
      );
      taken += size;
    }
    if (groups.length > 0) {
      await tx.query(
        `update rounds set state = 'aggregating', version = version + 1, aggregating_at = coalesce(aggregating_at, now()),
                deadline = ready_by + $2 * interval '1 millisecond' where id = $1 and state = any($3)`,
        [roundId, windows.aggregatingMs, sourcesOf(roundTransitions, 'aggregating')],
      );
    }
    const dropped = left > 0 ? await dropAssignments(tx, roundId, ['ready'], 'no-group') : [];
    return { groups, grouped: ready.slice(0, taken), dropped };
  });
  if (!done) return new Set();
  const { groups, grouped, dropped } = done;
  if (groups.length > 0) context.failpoint('group-formed');
  for (const id of groups) await startGroup(context, roundId, id);
  await announceAssignments(
    context,
    [...grouped, ...dropped].filter((id) => !tellers.has(id)),
  );
  return new Set(grouped);
}

/** Ends a round as soon as its end is known: the goal reached, nobody left, or the minimum out of reach. */
export async function settleRound(context: Context, roundId: RoundId): Promise<void> {
  if ((await context.rounds.get(roundId)).secure) await groupReady(context, roundId);
  const [tally] = await context.database.query<{
    goal: number;
    minimum: number;
    live: number;
    uploaded: number;
  }>(
    `select r.goal, r.minimum,
            count(*) filter (where a.state = any($2))::int as live,
            count(*) filter (where a.state = 'uploaded')::int as uploaded
       from rounds r left join assignments a on a.round_id = r.id
      where r.id = $1 and r.state in ('training', 'aggregating') and r.closed_at is null group by r.id`,
    [roundId, liveStates],
  );
  if (!tally) return;
  const { goal, minimum, live, uploaded } = tally;
  if (uploaded >= goal) await closeRound(context, roundId, 'goal-reached', 'now');
  else if (live === 0 || live + uploaded < minimum)
    await closeRound(context, roundId, 'round-abandoned', 'now');
}

/** Settles a round without making whoever caused it wait: publishing takes its time. */
export function settleSoon(context: Context, roundId: RoundId): void {
  const work = context.batches.settle
    .add(roundId)
    .catch((error: unknown) => {
      context.log.error({ error, roundId }, 'a round could not be settled; the poller will try again');
    })
    .finally(() => context.background.delete(work));
  context.background.add(work);
}

/**
 * Closes a round: nobody else may upload. With at least the minimum of updates it is published, otherwise
 * abandoned. Devices still at work are dropped with `dropReason`.
 */
export function closeRound(
  context: Context,
  roundId: RoundId,
  dropReason: DropReason,
  closing: Closing,
): Promise<void> {
  return context.observer.span('round close', { 'starling.round': roundId }, () =>
    close(context, roundId, dropReason, closing),
  );
}

async function close(
  context: Context,
  roundId: RoundId,
  dropReason: DropReason,
  closing: Closing,
): Promise<void> {
  const closed = await context.database.tx(async (tx) => {
    const [round] = await tx.query<RoundRow>(
      `select * from rounds where id = $1 and state in ('training', 'aggregating')
          and (deadline <= now() or ($2 and closed_at is null)) for update`,
      [roundId, closing === 'now'],
    );
    if (!round) return undefined;
    const dropped = await dropAssignments(tx, roundId, liveStates, dropReason);
    const uploaded = await tx.query<{ id: AssignmentId }>(
      "select id from assignments where round_id = $1 and state = 'uploaded' order by id",
      [roundId],
    );
    const reason =
      uploaded.length < round.minimum
        ? 'too-few-updates'
        : round.publishing_tries >= mostPublishingTries
          ? 'publishing-failed'
          : undefined;
    if (reason !== undefined) {
      const { dropped: more, next } = await abandon(tx, round, reason);
      return { dropped: [...dropped, ...more], next, closed: undefined };
    }
    await tx.query(
      `update groups set state = 'aborted', reason = 'round-closed', ended_at = now()
        where round_id = $1 and ended_at is null`,
      [roundId],
    );
    const [leased] = await tx.query<RoundRow>(
      `update rounds set version = version + 1, ready_by = null, closed_at = now(), publisher = $3,
              publishing_tries = publishing_tries + 1,
              deadline = now() + $2 * interval '1 millisecond'
        where id = $1 returning *`,
      [roundId, publishLeaseMs, context.nodes.id],
    );
    return {
      dropped,
      next: undefined,
      closed: leased && { round: leased, ids: uploaded.map((row) => row.id) },
    };
  });
  if (!closed) return;
  context.groups.removeRound(roundId);
  context.failpoint('round-closed');
  await announceAssignments(context, closed.dropped);
  if (closed.closed) await tryToPublish(context, closed.closed.round, closed.closed.ids);
  else await afterRoundEnd(context, roundId, closed.next);
}

/** What fails is tried again when the lease ends. */
async function tryToPublish(
  context: Context,
  round: RoundRow,
  uploads: readonly AssignmentId[],
): Promise<void> {
  try {
    await publishRound(context, round, uploads);
  } catch (error) {
    if (isOutage(error)) {
      await context.database.query(
        'update rounds set publishing_tries = publishing_tries - 1 where id = $1 and version = $2',
        [round.id, round.version],
      );
    }
    throw error;
  }
}

/** Whether a store or the machine failed, and not what was to be published. */
function isOutage(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable || error instanceof BlobStoreFailed) return true;
  return error instanceof Error && 'syscall' in error && (error as NodeJS.ErrnoException).code !== 'ENOENT';
}

/** Abandons a round that cannot be published, and opens the task's next one. */
export async function abandonRound(context: Context, roundId: RoundId, reason: AbandonReason): Promise<void> {
  const done = await context.database.tx(async (tx) => {
    const [round] = await tx.query<RoundRow>(
      'select * from rounds where id = $1 and ended_at is null for update',
      [roundId],
    );
    if (!round) return undefined;
    const abandoned = await abandon(tx, round, reason);
    context.failpoint('round-abandoned'); // not yet committed
    return abandoned;
  });
  if (done) await afterAbandoning(context, done);
}

/**
 * The training window of a secure round closes, whether or not a group has started: devices that are not ready are dropped,
 * the others form the last groups.
 */
export async function closeSecureTraining(context: Context, roundId: RoundId): Promise<void> {
  const dropped = await context.database.tx(async (tx) => {
    const [round] = await tx.query(
      `select 1 from rounds where id = $1 and state in ('training', 'aggregating') and ready_by <= now() for update`,
      [roundId],
    );
    return round ? dropAssignments(tx, roundId, ['accepted', 'training'], 'late') : [];
  });
  await announceAssignments(context, dropped);
  await groupReady(context, roundId);
  await context.database.query(
    "update rounds set ready_by = null where id = $1 and state = 'aggregating' and ready_by <= now()",
    [roundId],
  );
  await settleRound(context, roundId);
}

/** Drops devices that are not ready when the training window closes; the round goes on with those that are. */
export async function closeTrainingWindow(context: Context, roundId: RoundId): Promise<void> {
  const dropped = await context.database.tx(async (tx) => {
    const [round] = await tx.query(
      `update rounds set ready_by = null where id = $1 and state = 'aggregating' and ready_by <= now() returning id`,
      [roundId],
    );
    return round ? dropAssignments(tx, roundId, ['accepted', 'training'], 'late') : [];
  });
  await announceAssignments(context, dropped);
  await settleRound(context, roundId);
}

/** After a round's end is committed: tell, tidy, and offer the next. */
export async function afterRoundEnd(
  context: Context,
  roundId: RoundId,
  next: RoundRow | undefined,
): Promise<void> {
  const round = await announceRound(context, roundId);
  await observeRoundEnd(context, roundId);
  context.sums.drop(roundId);
  context.groups.removeRound(roundId);
  const rows = await context.database.query<{ id: AssignmentId }>(
    'select id from assignments where round_id = $1 and (update_digest is not null)',
    [roundId],
  );
  await Promise.all(rows.map((row) => context.staging.discard(row.id)));
  const groups = await context.database.query<{ id: GroupId }>(
    'select id from groups where round_id = $1 and secure',
    [roundId],
  );
  await Promise.all(groups.map((group) => context.staging.discardSum(group.id)));
  context.failpoint('round-tidied');
  await announceTask(context, round.taskId);
  if (next) await afterRound(context, next);
}

async function afterRound(context: Context, next: RoundRow): Promise<void> {
  context.failpoint('round-opened');
  await offerRounds(context, next.project_id);
}

/** What {@link abandon} leaves to be done after its transaction, by {@link afterAbandoning}. */
export interface AbandonedRound {
  readonly id: RoundId;
  readonly dropped: readonly AssignmentId[];
  readonly next: RoundRow | undefined;
}

export async function afterAbandoning(
  context: Context,
  { id, dropped, next }: AbandonedRound,
): Promise<void> {
  await announceAssignments(context, dropped);
  await afterRoundEnd(context, id, next);
}

/** Abandons a round under way, which the caller has locked. */
export async function abandon(tx: Querier, round: RoundRow, reason: AbandonReason): Promise<AbandonedRound> {
  await tx.query(
    `update rounds set state = 'abandoned', reason = $2, version = version + 1, ended_at = now()
      where id = $1 and state = any($3)`,
    [round.id, reason, sourcesOf(roundTransitions, 'abandoned')],
  );
  await tx.query(
    `update groups set state = 'aborted', reason = 'round-abandoned', ended_at = now()
      where round_id = $1 and ended_at is null`,
    [round.id],
  );
  const dropped = await dropAssignments(tx, round.id, [...liveStates, 'uploaded'], 'round-abandoned');
  const next = await advanceTask(tx, round.task_id);
  return { id: round.id, dropped, next };
}

async function dropAssignments(
  tx: Querier,
  roundId: RoundId,
  from: readonly string[],
  reason: DropReason,
): Promise<AssignmentId[]> {
  const allowed: string[] = sourcesOf(assignmentTransitions, 'dropped');
  const rows = await tx.query<{ id: AssignmentId }>(
    `update assignments set state = 'dropped', reason = $3, ended_at = now()
      where round_id = $1 and state = any($2) returning id`,
    [roundId, from.filter((state) => allowed.includes(state)), reason],
  );
  return rows.map((row) => row.id);
}
