import type { Job } from '@starling/protocol/api';

/** How long a job has run, in milliseconds, up to its end or `now`; `null` before it was started. */
export function tookMs(
  { startedAt, endedAt }: Pick<Job, 'startedAt' | 'endedAt'>,
  now: number,
): number | null {
  if (startedAt === null) return null;
  const end = endedAt === null ? now : Date.parse(endedAt);
  return Math.max(0, end - Date.parse(startedAt)); // the clock of this machine may be behind the database's
}
