import type { GroupHealth } from '@starling/protocol/api';

export interface HealthSummary {
  readonly groups: number;
  readonly aborted: number;
  /** Of all groups. */
  readonly abortedShare: number;
  /** Of the devices in groups that have ended: those that left before the end of one that was summed. */
  readonly lostShare: number;
  readonly smallest: number;
  /** What the smallest group needed. */
  readonly needed: number;
  /** Of the rounds' medians, the middle one. */
  readonly medianMs: number | null;
  /** Groups by the reason that ended them. */
  readonly abortedBy: readonly (readonly [string, number])[];
}

/** The rounds of a task's groups as one. */
export function healthOf({ rounds }: Pick<GroupHealth, 'rounds'>): HealthSummary {
  const sum = (of: (round: GroupHealth['rounds'][number]) => number) =>
    rounds.reduce((total, round) => total + of(round), 0);
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  const groups = sum((round) => round.groups);
  const aborted = sum((round) => round.aborted);
  const times = rounds.flatMap(({ medianMs }) => (medianMs === null ? [] : [medianMs])).sort((a, b) => a - b);
  const reasons = new Map<string, number>();
  for (const { abortedBy } of rounds) {
    for (const [reason, count] of Object.entries(abortedBy))
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  const smallest = rounds.toSorted((a, b) => a.smallest - b.smallest)[0];
  return {
    groups,
    aborted,
    abortedShare: share(aborted, groups),
    lostShare: share(
      sum((round) => round.lost),
      sum((round) => round.devices),
    ),
    smallest: smallest?.smallest ?? 0,
    needed: smallest?.needed ?? 0,
    medianMs: times[Math.floor(times.length / 2)] ?? null,
    abortedBy: [...reasons],
  };
}
