/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function minimum(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

export function maximum(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}

/** Whether each loss is as the first contender's, within a share of it. */
export function agree(losses: readonly number[], wanted: readonly number[], share: number): boolean {
  return (
    losses.length === wanted.length &&
    losses.every((loss, i) => Math.abs(loss - wanted[i]!) <= share * Math.abs(wanted[i]!))
  );
}
