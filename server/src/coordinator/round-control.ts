import { ProblemError, type ProjectId, type RoundDetail, type RoundId } from '@starling/protocol';
import type { Commit, Querier } from '../storage/database.ts';
import { announceRound } from './announce.ts';
import type { Context } from './context.ts';
import { abandonRound, closeRound } from './round-end.ts';
import { startTraining } from './round-selection.ts';
import type { RoundRow } from './rows.ts';
import { readRound, roundDetail } from './views.ts';

/** An operator's hand on a round. Each changes it by the same conditional updates as its own deadlines do. */

/** A round of a project; throws `not-found`, also for another project's. */
export async function ownedRound(querier: Querier, projectId: ProjectId, id: RoundId): Promise<RoundRow> {
  const row = await readRound(querier, id);
  if (row.project_id !== projectId) throw new ProblemError('not-found', `There is no round ${id}.`);
  return row;
}

/** Gives the phase under way `byMs` more. Throws `not-found`, and `illegal-transition` once uploads are closed. */
export async function extendRound(
  context: Context,
  projectId: ProjectId,
  id: RoundId,
  byMs: number,
  commit: Commit<RoundDetail>,
): Promise<RoundDetail> {
  await ownedRound(context.database, projectId, id);
  const round = await commit(async (tx) => {
    const [extended] = await tx.query<RoundRow>(
      `update rounds set version = version + 1, deadline = deadline + $2 * interval '1 millisecond',
            ready_by = ready_by + $2 * interval '1 millisecond'
      where id = $1 and closed_at is null and ended_at is null returning id`,
      [id, byMs],
    );
    if (!extended) throw over(await readRound(tx, id), 'extended');
    return roundDetail(tx, await readRound(tx, id));
  });
  await announceRound(context, id);
  return round;
}

/**
 * Goes on now with what arrived: from selecting to training, or from there to the sum. Throws `not-found`, and
 * `illegal-transition` below the round's minimum or once uploads are closed.
 */
export async function closeRoundNow(
  context: Context,
  projectId: ProjectId,
  id: RoundId,
): Promise<RoundDetail> {
  const round = await ownedRound(context.database, projectId, id);
  if (round.state === 'published' || (round.closed_at && !round.ended_at)) {
    return roundDetail(context.database, round); // closed already
  }
  const isSelecting = round.state === 'selecting';
  const [tally] = await context.database.query<{ accepted: number; uploaded: number }>(
    `select count(*) filter (where state not in ('offered', 'dropped'))::int as accepted,
            count(*) filter (where state = 'uploaded')::int as uploaded from assignments where round_id = $1`,
    [id],
  );
  if (round.ended_at) throw over(round, 'closed');
  const arrived = (isSelecting ? tally?.accepted : tally?.uploaded) ?? 0;
  if (arrived < round.minimum) {
    throw new ProblemError(
      'illegal-transition',
      `Round ${id} is ${round.state} with ${arrived} ${isSelecting ? 'devices' : 'updates'}; its minimum is ${round.minimum}. Wait, extend or abort it.`,
    );
  }
  if (isSelecting) await startTraining(context, id, 'now');
  else await closeRound(context, id, 'late', 'now');
  return roundDetail(context.database, await readRound(context.database, id));
}

/** Abandons a round. Aborting it again is no error; throws `not-found`, and `illegal-transition` when it ended otherwise. */
export async function abortRound(context: Context, projectId: ProjectId, id: RoundId): Promise<RoundDetail> {
  await ownedRound(context.database, projectId, id);
  await abandonRound(context, id, 'aborted');
  const round = await readRound(context.database, id);
  if (round.reason !== 'aborted') throw over(round, 'aborted');
  return roundDetail(context.database, round);
}

function over({ id, state, reason, ended_at: endedAt }: RoundRow, wanted: string): ProblemError {
  const what = endedAt ? `${state}${reason === null ? '' : ` (${reason})`}` : 'being published';
  return new ProblemError('illegal-transition', `Round ${id} is ${what}; it can no longer be ${wanted}.`);
}
