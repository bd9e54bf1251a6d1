import { expect } from 'vitest';
import type { ModelVersion } from '@starling/protocol';
import type { Job, JobRequest } from '@starling/protocol/api';
import { eventually } from '../project.ts';
import { deathOf, patienceMs, tolerant } from './death.ts';
import type { KillWorld } from './worlds.ts';

export const jobPoints = [
  'job-prepared',
  'job-submitted',
  'job-running',
  'job-result-stored',
  'job-published',
] as const;

const work = {
  kind: 'warm-start',
  data: 'wheel',
  training: {
    ...{ algorithm: 'fedavg', epochs: 1, batchSize: 10, rate: 0.3, rounds: 3, cohort: { goal: 2 } },
    optimiser: { kind: 'sgd', rate: 1 },
  },
} as JobRequest['work'];

/** A job whose node dies at `point`: it succeeds, and its task has one new version of it. Gives the time until it went on. */
export async function diesInJob(world: KillWorld, point: string): Promise<number> {
  const { admin } = world;
  let job: Job | undefined;
  const read = () => admin.get<Job>(`/v1/jobs/${job?.id}`);
  const death = deathOf(world, async () => {
    const { state, attempts, endedAt } = await read();
    return { text: JSON.stringify([state, attempts]), isOver: endedAt !== null };
  });
  await world.victim.arm(point);
  while (!(await death.hasCome())) {
    const task = await admin.tinyTask();
    job = await admin.post<Job>(`/v1/tasks/${task.id}/jobs`, { work });
    const ended = await eventually(
      'the job to end',
      () =>
        tolerant(async () => {
          const seen = await read();
          return seen.endedAt === null ? undefined : seen;
        }),
      patienceMs,
    );
    expect(ended.state).toBe('succeeded');
    const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
    expect(items.map(({ number }) => number)).toEqual([1, 0]);
    expect(items[0]).toMatchObject({ id: ended.publishedVersion, job: job.id });
  }
  return death.resumedMs;
}
