import { layoutOf, parseModel } from '@starling/model';
import { readWeights, type Assignment, type ModelVersion, type Task } from '@starling/protocol';
import { tinyModel, type Admin } from './project.ts';
import { updateFile } from './raw-device.ts';

/** The update of a device that tells, in a sum, whether it was counted and how often: 1 at its own place, weight 1. */
export function oneHot(assignment: Pick<Assignment, 'blocks'>, index: number): Uint8Array {
  return updateFile(assignment, { parameters: { [index]: 1 } });
}

/** Values of each published version of a task on the tiny model, from version 0. */
export async function versionsOf(admin: Admin, task: Pick<Task, 'id'>): Promise<Float32Array[]> {
  const layout = layoutOf(parseModel(tinyModel));
  const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
  return Promise.all(
    items.reverse().map(async ({ weights }) => {
      const answer = await fetch(`${admin.url}/v1/blobs/${weights}`, {
        headers: { authorization: `Bearer ${admin.key}` },
      });
      return readWeights(layout, new Uint8Array(await answer.arrayBuffer()));
    }),
  );
}

/** How often each device was counted between two versions, where `devices` one-hot updates were. */
export function countsBetween(before: Float32Array, after: Float32Array, devices: number): number[] {
  return [...after].map((value, index) => Math.round((value - before[index]!) * devices * 1000) / 1000);
}
