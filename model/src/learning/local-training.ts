import type { Learned, LearningContext, LearningMetrics } from './contract.ts';
import type { Judgement } from '../program/program.ts';

/** Trains a copy of the shared parameters on batches of the person's rows: what it moved is the update. */
export function trainLocally(
  context: LearningContext,
  batches: Iterable<Int32Array>,
  { rate, batchSize }: { readonly rate: number; readonly batchSize: number },
  weight: number,
): Learned {
  const { program, params, examples, seed } = context;
  const before = program.evaluate(params, examples);
  const trainer = program.trainer(params, { rows: Math.min(batchSize, examples.count), seed });
  for (const rows of batches) context.step(() => trainer.step({ ...examples, rows }, { rate }).loss);
  const local = trainer.read();
  const after = program.evaluate(local, examples);
  const vector = moved(local.values, params.values, params.layout.learnable.size);
  return { vector, weight, metrics: metricsOf(before, after), constantPredictor: after.constantPredictor };
}

/** What the first `size` values moved by, in their place. A plain loop: of many parameters it takes a tenth of the time of `map`. */
function moved(to: Float32Array, from: Float32Array, size: number): Float32Array {
  const vector = to.subarray(0, size);
  for (let i = 0; i < size; i++) vector[i] -= from[i];
  return vector;
}

export function metricsOf(before: Judgement, after: Judgement): LearningMetrics {
  return {
    lossBefore: before.loss,
    correctBefore: before.correct,
    countBefore: before.count,
    lossAfter: after.loss,
    correctAfter: after.correct,
    countAfter: after.count,
  };
}
