import { compile, parseModel, trustedBackend, type Examples } from '@starling/model';
import { utf8Decode, type ServedModel } from '@starling/protocol';
import type { BlobCache } from './blob-cache.ts';
import { DeviceError } from './errors.ts';
import { fetchModel, readParams } from './models.ts';
import { PersonalModel } from './personal-model.ts';
import type { Trainer } from './ports.ts';
import type { Session } from './session.ts';

/** Rows that are predicted in one pass: an app mostly asks for one or a few. */
const batch = 8;

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
  const model = await fetchModel(blobs, served);
  const { adaptation, version } = served;
  const { bytes } = await trainer.run({ kind: 'personalise', model, adaptation, examples });
  const program = compile(parseModel(JSON.parse(utf8Decode(model.ir.json))), {
    batch,
    backend: trustedBackend(),
  });
  const shared = readParams(program, model);
  const personal = { layout: shared.layout, values: new Float32Array(bytes.slice().buffer) };
  return new PersonalModel({ program, shared, personal, version, steps: adaptation.steps });
}
