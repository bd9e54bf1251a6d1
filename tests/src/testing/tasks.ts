import type { ModelVersion, Plan, Round, RoundDetail, Task, TrainingMetrics } from '@starling/protocol';
import { eventually, type Admin } from './project.ts';

/** Creates a task on the tiny model and starts it. */
export async function runTask(admin: Admin, changes: Partial<Plan>): Promise<Task> {
  const task = await admin.tinyTask(changes);
  await admin.post(`/v1/tasks/${task.id}/start`);
  return task;
}

/** Waits for the task's end; gives its rounds, the first one first. */
export async function completed(
  admin: Admin,
  { id }: Pick<Task, 'id'>,
  deadlineMs = 60_000,
): Promise<RoundDetail[]> {
  await eventually(
    'the task to complete',
    async () => (await admin.get<Task>(`/v1/tasks/${id}`)).state === 'completed' || undefined,
    deadlineMs,
  );
  return roundsOf(admin, id);
}

export async function roundsOf(admin: Admin, id: Task['id']): Promise<RoundDetail[]> {
  const { items } = await admin.get<{ items: Round[] }>(`/v1/tasks/${id}/rounds`);
  return Promise.all(items.reverse().map((round) => admin.get<RoundDetail>(`/v1/rounds/${round.id}`)));
}

/** Digests of the published weights, from version 0. */
export async function weightsOf(admin: Admin, { id }: Pick<Task, 'id'>): Promise<string[]> {
  const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${id}/versions`);
  return items.map(({ digest }) => digest).reverse();
}

/** Devices that a training round counted. */
export function devicesIn(round: RoundDetail | undefined): number | undefined {
  return (round?.metrics as TrainingMetrics | null | undefined)?.devices;
}
