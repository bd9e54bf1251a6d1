import type { Examples } from '@starling/model';
import type { ServedModel } from '@starling/protocol';
import type { BlobCache } from './blob-cache.ts';
import { DeviceError } from './errors.ts';
import { fetchModel } from './models.ts';
import type { PersonalModel } from './personal-model.ts';
import type { Trainer } from './ports.ts';
import type { Session } from './session.ts';
import { openModel } from './shared-model.ts';

/** The current model of a task, adapted to `examples` as the task's plan says. */
export async function personalModel(
  { session, blobs, trainer }: { session: Session; blobs: BlobCache; trainer: Trainer },
  taskId: string,
  examples: Examples | null,
): Promise<PersonalModel> {
  if (!examples || examples.count === 0) {
    throw new DeviceError(
      'no-examples',
      `There is no data for task ${taskId} to adapt to. Pass examples, or wait until the app has collected some.`,
    );
  }
  const served = await session.get<ServedModel>(`/v1/device/tasks/${encodeURIComponent(taskId)}/model`, [
    'ir',
    'weights',
  ]);
  const model = openModel(await fetchModel(blobs, served));
  return model.personalise(trainer, served, examples);
}
