/**
 * The state machines of a round, and of a job in the cloud, as tables: state -> the states it may move to. Drawn in docs/architecture.md
 * with the same names. A group of one clear update passes forming -> uploads -> summed: it needs no keys.
 */
export const taskTransitions = {
  draft: ['running', 'cancelled'],
  running: ['paused', 'completed', 'cancelled', 'failed'],
  paused: ['running', 'cancelled', 'failed'],
  completed: [],
  cancelled: [],
  failed: [],
} as const;

export const roundTransitions = {
  selecting: ['training', 'abandoned'],
  training: ['aggregating', 'abandoned'],
  aggregating: ['published', 'abandoned'],
  published: [],
  abandoned: [],
} as const;

export const groupTransitions = {
  forming: ['keys', 'uploads', 'aborted'],
  keys: ['shares', 'aborted'],
  shares: ['uploads', 'aborted'],
  uploads: ['signing', 'summed', 'aborted'],
  signing: ['unmasking', 'aborted'],
  unmasking: ['summed', 'aborted'],
  summed: [],
  aborted: [],
} as const;

export const assignmentTransitions = {
  offered: ['accepted', 'dropped'],
  accepted: ['training', 'dropped'],
  training: ['ready', 'dropped'],
  ready: ['grouped', 'dropped'],
  grouped: ['uploaded', 'dropped'],
  uploaded: ['counted', 'dropped'],
  counted: [],
  dropped: [],
} as const;

/** A job in the cloud. `lost` by its cluster, it is waiting again, or failed. */
export const jobTransitions = {
  waiting: ['running', 'failed', 'cancelled'],
  running: ['waiting', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const;

export type TaskState = keyof typeof taskTransitions;
export type RoundState = keyof typeof roundTransitions;
export type GroupState = keyof typeof groupTransitions;
export type AssignmentState = keyof typeof assignmentTransitions;
export type JobState = keyof typeof jobTransitions;

type Table = Readonly<Record<string, readonly string[]>>;

/** The states from which `to` may be reached: what a conditional update puts in its WHERE. */
export function sourcesOf<T extends Table>(table: T, to: keyof T & string): (keyof T & string)[] {
  return Object.keys(table).filter((from) => table[from]?.includes(to));
}

/** Why an assignment was dropped. */
export const dropReasons = [
  'no-answer', // the selecting window closed before the device answered
  'declined', // the device said no (its reason is in the log of the device)
  'late', // not ready or not uploaded when the window closed
  'no-group', // ready, but no group formed before the window closed
  'goal-reached', // enough others had been counted
  'update-refused', // the update did not pass the checks
  'training-failed', // the device gave up: diverged, out of memory, data gone
  'group-aborted', // its secure group came to no sum; nothing of the update is known
  'device-revoked',
  'round-abandoned',
] as const;
export type DropReason = (typeof dropReasons)[number];

/** Why a round was abandoned. */
export const abandonReasons = [
  'too-few-devices',
  'too-few-updates',
  'task-cancelled',
  'sum-not-finite',
  'aborted', // someone asked for it
  'publishing-failed', // closed, but what it needs cannot be read or combined, however often it was tried
] as const;
export type AbandonReason = (typeof abandonReasons)[number];
