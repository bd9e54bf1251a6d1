import type { RandomStream } from '../data/random-stream.ts';

/**
 * Where a device is in an assignment, as far as its parent process was told: the assignment's state, or the message to its
 * secure group that it is about to send.
 */
export const moments = [
  'offered',
  'accepted',
  'training',
  'ready',
  'grouped',
  'keys',
  'reveal',
  'shares',
  'upload',
  'signature',
  'unmask',
  'uploaded',
] as const;
export type Moment = (typeof moments)[number];

/** Between offered and counted, without what some assignments pass over. */
const clearMoments = ['offered', 'accepted', 'training', 'grouped', 'uploaded'] as const;
const secureMoments = moments.filter((moment) => moment !== 'reveal');

/** How long a killed device stays away at most, beside the time that its process takes to start. */
const longestAwayMs = 6_000;

/** The end of a device's process in one of its assignments. */
export interface Fate {
  /** It is killed once it is here, or beyond. */
  readonly moment: Moment;
  /** Until it is started again. */
  readonly awayMs: number;
}

/** Draws whether a device is killed in its next assignment, where, and for how long. `share`: how likely, 0 to 1. */
export function drawFate(stream: RandomStream, share: number, isSecure: boolean): Fate | undefined {
  const [whether, where, howLong] = [stream.uniform(), stream.uniform(), stream.uniform()];
  if (whether >= share) return undefined;
  const choice: readonly Moment[] = isSecure ? secureMoments : clearMoments;
  return { moment: choice[Math.floor(where * choice.length)]!, awayMs: Math.round(howLong * longestAwayMs) };
}

export function isReached(fate: Fate, now: Moment): boolean {
  return moments.indexOf(now) >= moments.indexOf(fate.moment);
}
