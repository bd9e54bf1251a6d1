import type { GroupId, ProjectId, RoundId, RoundState } from '@starling/protocol';
import type { Context } from './context.ts';
import { isDead } from './nodes.ts';
import { closeRound, closeSecureTraining, closeTrainingWindow, settleRound } from './round-end.ts';
import { groupReady } from './round-groups.ts';
import { offerRound, startTraining } from './round-selection.ts';
import { abortForgottenGroups, closePhase, forgetEndedGroups } from './secure-groups.ts';

/** How many due rounds a node moves at once. */
const atOnce = 4;

interface DueRound {
  id: RoundId;
  state: RoundState;
  due: boolean;
  /** Its devices have to be ready by now. */
  ready_due: boolean;
  late_seconds: number;
  secure: boolean;
  /** Devices are ready and in no group. */
  waiting: boolean;
}

interface TendedRound {
  id: RoundId;
  state: RoundState;
  project_id: ProjectId;
  secure: boolean;
  /** As many have accepted as are wanted. */
  enough: boolean;
  /** Devices are ready and in no group. */
  waiting: boolean;
}

/**
 * Fires deadlines. Any number of nodes may poll: what a deadline does is a conditional update, so it happens once.
 * Time is the database's.
 */
export class Poller {
  readonly #context: Context;
  readonly #intervalMs: number;
  #stops: (() => Promise<void>)[] = [];

  constructor(context: Context, intervalMs: number) {
    this.#context = context;
    this.#intervalMs = intervalMs;
  }

  /** Deadlines are looked at apart from all else, and twice as often: they come in time however many rounds there are to tend. */
  start(): void {
    this.#stops = [
      this.#again('deadlines could not be looked at', this.#intervalMs / 2, () => this.#timed()),
      this.#again('rounds could not be tended', this.#intervalMs, () => this.#tend()),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
  }

  #again(failure: string, intervalMs: number, work: () => Promise<void>): () => Promise<void> {
    return this.#context.repeat(
      () =>
        work().catch((error: unknown) => {
          this.#context.observer.count('starling_poll_failures_total', {});
          this.#context.log.error({ error }, `${failure}; trying again`);
        }),
      intervalMs,
    );
  }

  async #timed(): Promise<void> {
    const begin = performance.now();
    await this.#fireDue();
    this.#context.observer.time('starling_poll_duration_seconds', {}, (performance.now() - begin) / 1000);
  }

  /** Fires what is due, each node in another order, so that they seldom meet at one round; who comes second finds it done. */
  async #fireDue(): Promise<void> {
    await this.#closePhases();
    const due = await this.#context.database.query<DueRound>(
      `select r.id, r.state, r.deadline <= now() as due, coalesce(r.ready_by <= now(), false) as ready_due,
              extract(epoch from now() - r.deadline)::float8 as late_seconds, t.plan -> 'secure' is not null as secure,
              exists (select 1 from assignments a where a.round_id = r.id and a.state = 'ready') as waiting
         from rounds r join tasks t on t.id = r.task_id
        where r.ended_at is null
          and (r.deadline <= now() or (r.ready_by <= now() and r.closed_at is null))
        order by md5(r.id || $1)`,
      [this.#context.nodes.id],
    );
    for (let first = 0; first < due.length; first += atOnce) {
      await Promise.all(
        due.slice(first, first + atOnce).map((round) => this.#move(round, () => this.#fire(round))),
      );
    }
  }

  async #fire({
    id,
    state,
    due,
    ready_due: readyDue,
    late_seconds: lateSeconds,
    ...round
  }: DueRound): Promise<void> {
    const context = this.#context;
    context.failpoint('deadline-due');
    if (due) context.observer.time('starling_deadline_lateness_seconds', { what: 'round' }, lateSeconds);
    if (state === 'selecting') await startTraining(context, id, 'by-deadline');
    else if (round.secure && readyDue) await closeSecureTraining(context, id);
    else {
      // Who was ready in time is grouped, which moves the deadline. The groups of secure tasks are formed when it closes.
      if (round.waiting && !round.secure) await groupReady(context, id);
      if (due) await closeRound(context, id, 'late', 'by-deadline');
      else if (state === 'aggregating') await closeTrainingWindow(context, id);
    }
  }

  /**
   * Offers what is selecting, and takes the steps that follow a device's message but that a crash kept from following:
   * training once enough accepted, groups of those ready, the round's end.
   */
  async #tend(): Promise<void> {
    const context = this.#context;
    await releaseLeases(context);
    await abortForgottenGroups(context);
    await forgetEnded(context);
    await forgetEndedGroups(context);
    const rounds = await context.database.query<TendedRound>(
      `select r.id, r.project_id, r.state, t.plan -> 'secure' is not null as secure,
              (select count(*) from assignments a
                where a.round_id = r.id and a.state not in ('offered', 'dropped')) >= r.target as enough,
              exists (select 1 from assignments a where a.round_id = r.id and a.state = 'ready') as waiting
         from rounds r join tasks t on t.id = r.task_id
        where r.ended_at is null and r.closed_at is null and r.deadline > now() order by r.deadline`,
    );
    for (const round of rounds) {
      await this.#move(round, async () => {
        if (round.state === 'selecting') {
          await offerRound(context, round.project_id, round.id);
          if (round.enough) await startTraining(context, round.id);
        } else {
          if (round.waiting && !round.secure) await groupReady(context, round.id); // settling forms the groups of secure tasks
          await settleRound(context, round.id);
        }
      });
    }
  }

  async #move({ id, state }: Pick<DueRound, 'id' | 'state'>, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#context.log.error({ error, roundId: id, state }, 'a round could not be moved; trying again');
    }
  }

  async #closePhases(): Promise<void> {
    const groups = await this.#context.database.query<{ id: GroupId; late_seconds: number }>(
      `select id, extract(epoch from now() - deadline)::float8 as late_seconds from groups where secure and ended_at is null and deadline <= now() and node = $1 order by deadline`,
      [this.#context.nodes.id],
    );
    for (const { id, late_seconds: lateSeconds } of groups) {
      this.#context.observer.time('starling_deadline_lateness_seconds', { what: 'group' }, lateSeconds);
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
