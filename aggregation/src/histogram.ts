/** Spread over devices as a histogram, so that it can be summed like everything else. Values are shares in [0, 1]. */

/** A value that has no bin. */
export class HistogramError extends Error {
  override readonly name = 'HistogramError';
  readonly code = 'value-not-a-share';
}

/** One-hot bin of a value in [0, 1]; 1 falls in the last bin. Throws {@link HistogramError} for any other value. */
export function histogramOf(value: number, bins = 100): Float64Array {
  if (!(value >= 0 && value <= 1)) {
    throw new HistogramError(`The value ${value} has no bin; a share from 0 to 1 is expected.`);
  }
  const histogram = new Float64Array(bins);
  histogram[Math.min(bins - 1, Math.floor(value * bins))] = 1;
  return histogram;
}

/** Value below which a share `q` of devices lies: midpoint of the bin of the ceil(q n)-th device. */
export function quantile(histogram: ArrayLike<number>, q: number): number {
  const wanted = Math.max(1, Math.ceil(q * total(histogram)));
  let seen = 0;
  for (let bin = 0; bin < histogram.length; bin++) {
    seen += histogram[bin]!;
    if (seen >= wanted) return (bin + 0.5) / histogram.length;
  }
  return Number.NaN;
}

/** Mean over the lowest `share` of devices (at least one), by bin midpoints: right to half a bin. */
export function meanOfLowest(histogram: ArrayLike<number>, share: number): number {
  const wanted = Math.max(1, Math.round(share * total(histogram)));
  let left = wanted;
  let sum = 0;
  for (let bin = 0; bin < histogram.length && left > 0; bin++) {
    const taken = Math.min(left, histogram[bin]!);
    sum += (taken * (bin + 0.5)) / histogram.length;
    left -= taken;
  }
  return left > 0 ? Number.NaN : sum / wanted;
}

function total(histogram: ArrayLike<number>): number {
  let sum = 0;
  for (let bin = 0; bin < histogram.length; bin++) sum += histogram[bin]!;
  return sum;
}
