import type { ModelVersion, Task } from '@starling/protocol';
import type { Job, JobRequest } from '@starling/protocol/api';
import { eventually, type Admin } from './project.ts';

/** A warm start for tiny tasks, from the pack of `wheelPack` offered as `wheel`. */
export const warmStart = {
  kind: 'warm-start',
  data: 'wheel',
  training: {
    algorithm: 'fedavg',
    epochs: 1,
    batchSize: 10,
    rate: 0.3,
    rounds: 30,
    cohort: { goal: 6 },
    optimiser: { kind: 'sgd', rate: 1 },
  },
} as JobRequest['work'];

export const ask = (admin: Admin, task: Task, what: Job['work']) =>
  admin.post<Job>(`/v1/tasks/${task.id}/jobs`, { work: what });

/** Waits until a job has ended, however it did. */
export function finished(admin: Admin, { id }: Job, deadlineMs = 50_000): Promise<Job> {
  return eventually(
    'the job to end',
    async () => {
      const seen = await admin.get<Job>(`/v1/jobs/${id}`);
      return seen.endedAt === null ? undefined : seen;
    },
    deadlineMs,
  );
}

/** Newest first. */
export async function versionsOf(admin: Admin, task: Task): Promise<ModelVersion[]> {
  return (await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`)).items;
}

/** Accuracy of the task's current version on the people of the wheel, before they adapt: judged by a job of ours. */
export async function judged(admin: Admin, task: Task): Promise<number> {
  const judging = { supportShares: [0.5], steps: [1], rate: 0.1 };
  const work = { kind: 'evaluate', data: 'wheel', training: judging } as unknown as Job['work'];
  const job = await finished(admin, await ask(admin, task, work));
  if (job.state !== 'succeeded' || job.publishedVersion !== null)
    throw new Error(`The judging job ${job.state}: ${job.message ?? ''}`);
  return (job.metrics as { results: { accuracy: number }[] }).results[0]!.accuracy;
}
