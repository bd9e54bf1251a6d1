import { OnnxExportError, toOnnx } from '@starling/model/interchange';
import { ProblemError, readWeights } from '@starling/protocol';
import { layoutFor } from './blocks.ts';
import type { Context } from './context.ts';
import type { VersionRow } from './rows.ts';
import { readTask } from './views.ts';

/** A version as an ONNX file for inference. Throws `invalid-model` for a model that ONNX has no words for. */
export async function onnxOf(
  context: Pick<Context, 'database' | 'blobs' | 'models'>,
  version: VersionRow,
): Promise<Uint8Array> {
  const task = await readTask(context.database, version.task_id);
  const model = await context.models.get(task.project_id, task.model_digest);
  const layout = layoutFor(model, task.plan);
  const values = readWeights(layout, await context.blobs.get(version.weights));
  try {
    return toOnnx(model, { layout, values });
  } catch (error) {
    if (!(error instanceof OnnxExportError)) throw error;
    throw new ProblemError('invalid-model', `This model cannot be written as ONNX: ${error.message}`);
  }
}
