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
  const { size } = params.layout.learnable;
  const vector = local.values.slice(0, size).map((value, i) => value - params.values[i]);
  return { vector, weight, metrics: metricsOf(before, after), constantPredictor: after.constantPredictor };
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
