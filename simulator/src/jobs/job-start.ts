import { readFile } from 'node:fs/promises';
import { initialise, layoutOf, type Model, type Params } from '@starling/model';
import { readSafetensors, readWeights } from '@starling/protocol';
import type { Job } from './job.ts';

/** The weights that a job begins with: those given, with learned rates when they have them, or fresh ones. */
export async function startOf(
  job: Job,
  model: Model,
  learning?: { algorithm: string; initialRate?: number },
): Promise<Params> {
  if (job.weightsIn === null)
    return initialise(
      model,
      job.seed,
      learning?.algorithm === 'meta-sgd' ? { learnedRates: learning.initialRate! } : {},
    );
  const file = await readFile(job.weightsIn);
  const plain = layoutOf(model);
  const hasRates = readSafetensors(file).tensors.size > plain.entries.length;
  const layout = hasRates ? layoutOf(model, { learnedRates: true }) : plain;
  return { layout, values: readWeights(layout, file) };
}
