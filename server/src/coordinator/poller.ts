import type { GroupId, RoundId, RoundState } from '@starling/protocol';
import type { Context } from './context.ts';
import { isDead } from './nodes.ts';
import { repeat } from './repeat.ts';
import {
  closeRound,
  closeSecureTraining,
  closeTrainingWindow,
  groupReady,
  offerRound,
  settleRound,
  startTraining,
} from './rounds.ts';
import { abortForgottenGroups, closePhase, forgetEndedGroups } from './secure-groups.ts';

/**
 * Fires deadlines. Any number of nodes may poll: what a deadline does is a conditional update, so it happens once.
 * Time is the database's.
 */
export class Poller {
  readonly #context: Context;
  readonly #intervalMs: number;
  #stop: (() => Promise<void>) | undefined;

  constructor(context: Context, intervalMs: number) {
    this.#context = context;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#stop = repeat(
      () =>
        this.poll().catch((error: unknown) => {
          this.#context.log.error({ error }, 'polling failed; trying again');
        }),
      this.#intervalMs,
    );
  }

  async stop(): Promise<void> {
    await this.#stop?.();
  }

  /**
   * One pass: fires what is due, offers what is selecting, and takes the steps that follow a device's message but
   * that a crash kept from following: training once enough accepted, groups of those ready, the round's end.
   */
  async poll(): Promise<void> {
    await releaseLeases(this.#context);
    await abortForgottenGroups(this.#context);
    await forgetEnded(this.#context);
    await forgetEndedGroups(this.#context);
    await this.#closePhases();
    const rounds = await this.#context.database.query<{
      id: RoundId;
      state: RoundState;
      due: boolean;
      ready_due: boolean;
      secure: boolean;
      waiting: boolean;
    }>(
      `select r.id, r.state, r.deadline <= now() as due, coalesce(r.ready_by <= now(), false) as ready_due,
              t.plan -> 'secure' is not null as secure,
              exists (select 1 from assignments a where a.round_id = r.id and a.state = 'ready') as waiting
         from rounds r join tasks t on t.id = r.task_id
        where r.ended_at is null and (r.closed_at is null or r.deadline <= now()) order by r.deadline`,
    );
    for (const { id, state, due, ready_due: readyDue, secure, waiting } of rounds) {
      try {
        if (state === 'selecting') await this.#select(id, due);
        else if (secure && readyDue) await closeSecureTraining(this.#context, id);
        else if (due) await closeRound(this.#context, id, 'late');
        else {
          if (waiting && !secure) await groupReady(this.#context, id); // settling forms the groups of secure tasks
          if (state === 'aggregating' && readyDue) await closeTrainingWindow(this.#context, id);
          else await settleRound(this.#context, id);
        }
      } catch (error) {
        this.#context.log.error({ error, roundId: id, state }, 'a round could not be moved; trying again');
      }
    }
  }

  async #select(id: RoundId, windowClosed: boolean): Promise<void> {
    if (!windowClosed) await offerRound(this.#context, id);
    await startTraining(this.#context, id, windowClosed);
  }

  async #closePhases(): Promise<void> {
    const groups = await this.#context.database.query<{ id: GroupId }>(
      `select id from groups where secure and ended_at is null and deadline <= now() and node = $1 order by deadline`,
      [this.#context.nodes.id],
    );
    for (const { id } of groups) {
      try {
        await closePhase(this.#context, id);
      } catch (error) {
        this.#context.log.error({ error, groupId: id }, 'a group could not be moved');
      }
    }
  }
}

/** Lets another node publish what a dead one was publishing, without waiting for its lease to end. A node that was busy keeps its own. */
export async function releaseLeases({ database, nodes }: Context): Promise<void> {
  await database.query(
    `update rounds r set deadline = now()
      where r.closed_at is not null and r.ended_at is null and r.deadline > now()
        and r.publisher is distinct from $1 and ${isDead('r.publisher')}`,
    [nodes.id],
  );
}

/** Lets go of sums of rounds that another node ended. */
async function forgetEnded({ database, sums }: Context): Promise<void> {
  const held = sums.rounds();
  if (held.length === 0) return;
  const ended = await database.query<{ id: RoundId }>(
    'select id from rounds where id = any($1) and ended_at is not null',
    [held],
  );
  for (const { id } of ended) sums.drop(id);
}
