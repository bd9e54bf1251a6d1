import { layoutOf, type Params, type Program } from '@starling/model';
import { readWeights, type ServedModel } from '@starling/protocol';
import type { BlobCache } from './blob-cache.ts';
import type { FetchedModel } from './ports.ts';

/** Fetches a model, or finds it in the cache. */
export async function fetchModel(
  blobs: BlobCache,
  { ir, weights, learnedRates }: Pick<ServedModel, 'ir' | 'weights' | 'learnedRates'>,
  signal?: AbortSignal,
): Promise<FetchedModel> {
  const json = await blobs.get(ir, signal);
  return { ir: { digest: ir, json }, weights: await blobs.get(weights, signal), learnedRates };
}

/** The parameters in a weights file. Throws WeightsMismatch, SafetensorsError. */
export function readParams(program: Program, { weights, learnedRates }: FetchedModel): Params {
  const layout = layoutOf(program.model, { learnedRates });
  return { layout, values: readWeights(layout, weights) };
}
