import type { GroupId, RoundId, RoundState } from '@starling/protocol';
import type { Context } from './context.ts';
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
import { closePhase } from './secure-groups.ts';

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
    await this.#closePhases();
    const rounds = await this.#context.database.query<{
      id: RoundId;
      state: RoundState;
      due: boolean;
      ready_due: boolean;
      secure: boolean;
    }>(
      `select r.id, r.state, r.deadline <= now() as due, coalesce(r.ready_by <= now(), false) as ready_due,
              t.plan -> 'secure' is not null as secure
         from rounds r join tasks t on t.id = r.task_id
        where r.ended_at is null and (r.closed_at is null or r.deadline <= now()) order by r.deadline`,
    );
    for (const { id, state, due, ready_due: readyDue, secure } of rounds) {
      try {
        if (state === 'selecting') await this.#select(id, due);
        else if (secure && readyDue) await closeSecureTraining(this.#context, id);
        else if (due) await closeRound(this.#context, id, 'late');
        else {
          await groupReady(this.#context, id);
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
      'select id from groups where secure and ended_at is null and deadline <= now() order by deadline',
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
