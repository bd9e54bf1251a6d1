import type { Params } from './layout.ts';

/** Mean and mean of squares of each channel (last axis) of the input. */
export interface Moments {
  readonly mean: Float64Array;
  readonly meanOfSquares: Float64Array;
}

/** Moments do not fit the statistics of the model. */
export class StatisticsMismatch extends Error {
  override readonly name = 'StatisticsMismatch';
  readonly code = 'statistics-mismatch';
}

/** A channel that varies less is constant as far as f32 features go: it is centred, not scaled. */
const smallestDeviation = 1e-6;

/**
 * Writes moments of the input, gathered over all training devices, into a model's statistics, in place.
 * @throws StatisticsMismatch When the model has no statistics, or another number of channels.
 */
export function setStatistics(params: Params, moments: Moments): void {
  const { layout, values } = params;
  const { mean, meanOfSquares } = moments;
  const statistics = layout.entries.filter((entry) => entry.role === 'statistic');
  if (statistics.length === 0)
    throw new StatisticsMismatch(
      'The model keeps no statistics of its input; give it a "standardise" whose parameters start as inputMean and inputInverseSd.',
    );
  for (const { name, statistic, offset, size } of statistics) {
    if (mean.length !== size || meanOfSquares.length !== size)
      throw new StatisticsMismatch(
        `"${name}" has ${size} channels, but the moments have ${mean.length} means and ${meanOfSquares.length} means of squares; gather them with the same model.`,
      );
    for (let channel = 0; channel < size; channel++)
      values[offset + channel] =
        statistic === 'mean' ? mean[channel] : inverseDeviation(mean[channel], meanOfSquares[channel]);
  }
}

function inverseDeviation(mean: number, meanOfSquares: number): number {
  const deviation = Math.sqrt(Math.max(0, meanOfSquares - mean * mean));
  return deviation < smallestDeviation ? 1 : 1 / deviation;
}
