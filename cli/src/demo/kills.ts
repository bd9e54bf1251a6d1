import type { RoundDetail } from '@starling/protocol';
import type { Moment } from '@starling/simulator';

/** What became of rounds while devices were killed, for the report. */
export interface KillReport {
  /** Share of assignments in which the device was to be killed. */
  share: number;
  killed: number;
  /** Kills by the moment that the device had told of last. */
  moments: Partial<Record<Moment, number>>;
  /** Rounds of training tasks that published nothing, and were run again. */
  roundsAbandoned: number;
  /** Secure groups that ended without a sum: one a round, since a group is a cohort. */
  groupsAborted: number;
}

export class KillTally {
  readonly #report: KillReport;

  constructor(share: number) {
    this.#report = { share, killed: 0, moments: {}, roundsAbandoned: 0, groupsAborted: 0 };
  }

  get report(): KillReport {
    return this.#report;
  }

  kill(moment: Moment): void {
    this.#report.killed++;
    this.#report.moments[moment] = (this.#report.moments[moment] ?? 0) + 1;
  }

  /** A round of a training task that has ended. */
  round({ state, funnel }: Pick<RoundDetail, 'state' | 'funnel'>): void {
    if (state === 'abandoned') this.#report.roundsAbandoned++;
    if (funnel.dropped['group-aborted'] !== undefined) this.#report.groupsAborted++;
  }

  /** In words, for the end of the demo. */
  get text(): string {
    const { share, killed, moments, roundsAbandoned, groupsAborted } = this.#report;
    const where = Object.entries(moments).map(([moment, count]) => `${moment} ${count}`);
    return (
      `${killed} device processes were killed, in ${Math.round(share * 100)} % of assignments, and went on from what they had stored` +
      `${where.length > 0 ? ` (last heard of at: ${where.join(', ')})` : ''}. ` +
      `Abandoned and run again: ${roundsAbandoned} rounds; aborted: ${groupsAborted} secure groups.`
    );
  }
}
