import { expect } from 'vitest';
import type { ModelVersion } from '@starling/protocol';
import type { Job, JobRequest } from '@starling/protocol/api';
import { eventually } from '../project.ts';
import { changeOf, patienceMs, resumedAfter, tolerant } from './death.ts';
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

/** How often a job may go to the node that lives, which looks for them too. */
const attempts = 6;

/** A job whose node dies at `point`: it succeeds, and its task has one new version of it. Gives the time until it went on. */
export async function diesInJob({ admin, ...world }: KillWorld, point: string): Promise<number> {
  await world.victim.arm(point);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const task = await admin.tinyTask();
    const job = await admin.post<Job>(`/v1/tasks/${task.id}/jobs`, { work });
    const read = () => admin.get<Job>(`/v1/jobs/${job.id}`);
    const done = async () => {
      const { endedAt } = await read();
      return endedAt !== null || undefined;
    };
    await eventually(
      'the job or its node to end',
      async () => !world.victim.running || (await tolerant(done)),
      patienceMs,
    );
    if (world.victim.running) continue;
    const resumedMs = await resumedAfter(
      { admin, ...world },
      changeOf(async () => {
        const { state, attempts: started, endedAt } = await read();
        return { text: JSON.stringify([state, started]), isOver: endedAt !== null };
      }),
    );
    await eventually('the job to end', () => tolerant(done), patienceMs);
    const ended = await read();
    expect(ended.state).toBe('succeeded');
    const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
    expect(items.map(({ number }) => number)).toEqual([1, 0]);
    expect(items[0]).toMatchObject({ id: ended.publishedVersion, job: job.id });
    return resumedMs;
  }
  throw new Error(`In ${attempts} attempts no job came to ${point} at the node that was to die.`);
}
