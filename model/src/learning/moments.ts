import type { Model } from '../ir/model.ts';
import type { Moments } from '../parameters/statistics.ts';
import { checkRows } from '../program/rows.ts';
import type { Examples } from '../program/program.ts';

/**
 * Mean and mean of squares of each channel (last axis) over all rows, for `setStatistics`; `count` rows, by which the
 * moments of several people are weighted.
 * @throws ExamplesMismatch When the examples do not fit the model, or there are none.
 */
export function inputMoments(model: Model, examples: Examples): Moments & { readonly count: number } {
  checkRows(model, examples);
  const channels = model.inputShape.at(-1)!; // features have an axis behind the batch
  const mean = new Float64Array(channels);
  const meanOfSquares = new Float64Array(channels);
  const { x, count } = examples;
  const size = count * model.inputSize;
  for (let start = 0; start < size; start += channels)
    for (let channel = 0; channel < channels; channel++) {
      const value = x[start + channel];
      mean[channel] += value;
      meanOfSquares[channel] += value * value;
    }
  const samples = size / channels;
  for (let channel = 0; channel < channels; channel++) {
    mean[channel] /= samples;
    meanOfSquares[channel] /= samples;
  }
  return { mean, meanOfSquares, count };
}
