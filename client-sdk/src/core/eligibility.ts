import type { Assignment, Eligibility } from '@starling/protocol';

/** What a device knows of itself. */
export interface Situation {
  /** Rows of data for the task. */
  readonly examples: number;
  readonly charging?: boolean | undefined;
  readonly unmetered?: boolean | undefined;
  readonly idle?: boolean | undefined;
  /** Charge of the battery, 0 to 1. */
  readonly battery?: number | undefined;
  /** Time since this device last contributed; `undefined`: not for a week. */
  readonly sinceContributionMs?: number | undefined;
}

/**
 * The first condition of a task that the device does not meet, or `undefined`. What a device cannot tell of itself
 * does not stand in the way: a desktop has no battery to ask.
 */
export function unmetCondition(rules: Eligibility, situation: Situation): keyof Eligibility | undefined {
  const { minExamples, minBattery, minSeparationMs } = rules;
  const { examples, battery, sinceContributionMs } = situation;
  if (minExamples !== undefined && examples < minExamples) return 'minExamples';
  for (const condition of ['charging', 'unmetered', 'idle'] as const) {
    if (rules[condition] === true && situation[condition] === false) return condition;
  }
  if (minBattery !== undefined && battery !== undefined && battery < minBattery) return 'minBattery';
  if (minSeparationMs === undefined || sinceContributionMs === undefined) return undefined;
  return sinceContributionMs < minSeparationMs ? 'minSeparationMs' : undefined;
}

/** Whether the app asks for sums of more updates than the assignment promises; a clear update is a sum of one. */
export function tooFewTogether(
  { secure }: Pick<Assignment, 'secure'>,
  { minimumGroup }: { readonly minimumGroup?: number },
): boolean {
  return (secure?.minimum ?? 1) < (minimumGroup ?? 1);
}
