import {
  type AbandonReason,
  type AssignmentId,
  type DropReason,
  type GroupId,
  type RoundId,
  assignmentTransitions,
  roundTransitions,
  sourcesOf,
} from '@starling/protocol';
import { observeRoundEnd } from '../observability/round-observation.ts';
import { DatabaseUnavailable, type Querier } from '../storage/database.ts';
import { BlobStoreFailed } from '../storage/s3-blobs.ts';
import type { Context } from './context.ts';
import { announceAssignments, announceRound, announceTask } from './announce.ts';
import { publishRound } from './publish.ts';
import { type RoundRow, liveStates } from './rows.ts';
import { advanceTask } from './round-opening.ts';
import { type Closing, offerRounds } from './round-selection.ts';
import { groupReady } from './round-groups.ts';

/** Time that a node has to publish a closed round before another may do it. */
const publishLeaseMs = 60_000;

/**
 * A closed round whose publication fails so often, or ends its node so often, is abandoned: the next may do better. A
 * store that is away does not count.
 */
const mostPublishingTries = 5;

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

/** Abandons a round where it is under way and meets the condition (SQL on its row), and opens the task's next one. */
export async function abandonRound(
  context: Context,
  roundId: RoundId,
  reason: AbandonReason,
  condition = 'true',
): Promise<void> {
  const done = await context.database.tx(async (tx) => {
    const [round] = await tx.query<RoundRow>(
      `select * from rounds where id = $1 and ended_at is null and ${condition} for update`,
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
  await dropUnready(
    context,
    roundId,
    `select 1 from rounds where id = $1 and state in ('training', 'aggregating') and ready_by <= now() for update`,
  );
  await groupReady(context, roundId);
  await context.database.query(endOfTraining, [roundId]);
  await settleRound(context, roundId);
}

/** Drops devices that are not ready when the training window closes; the round goes on with those that are. */
export async function closeTrainingWindow(context: Context, roundId: RoundId): Promise<void> {
  await dropUnready(context, roundId, endOfTraining);
  await settleRound(context, roundId);
}

const endOfTraining =
  "update rounds set ready_by = null where id = $1 and state = 'aggregating' and ready_by <= now() returning id";

/** Drops who still trains, where `lock` gives the round (`$1`) as one whose training window is over. */
async function dropUnready(context: Context, roundId: RoundId, lock: string): Promise<void> {
  const dropped = await context.database.tx(async (tx) => {
    const [round] = await tx.query(lock, [roundId]);
    return round ? dropAssignments(tx, roundId, ['accepted', 'training'], 'late') : [];
  });
  await announceAssignments(context, dropped);
}

/** After a round's end is committed: tell, offer the next, and tidy. */
export async function afterRoundEnd(
  context: Context,
  roundId: RoundId,
  next: RoundRow | undefined,
): Promise<void> {
  const round = await announceRound(context, roundId);
  context.sums.drop(roundId);
  context.groups.removeRound(roundId);
  if (next) await offerNext(context, next);
  await announceTask(context, round.taskId);
  await observeRoundEnd(context, roundId);
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
}

async function offerNext(context: Context, next: RoundRow): Promise<void> {
  context.failpoint('round-opened');
  if (next.offers_from) {
    context.log.warn(
      { taskId: next.task_id, roundId: next.id, offersFrom: next.offers_from },
      'rounds of a task fail one after the other: the next one waits before it asks devices',
    );
    await announceRound(context, next.id);
  }
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

export async function dropAssignments(
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
