/** Spread over devices, from a histogram of shares in [0, 1] that was summed like everything else. */

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
