/** The classes of the greatest probabilities, greatest first; the first of equals first. */
export function mostProbable(probabilities: Float32Array, count: number): number[] {
  return [...probabilities.keys()]
    .sort((left, right) => (probabilities[right] ?? 0) - (probabilities[left] ?? 0) || left - right)
    .slice(0, count);
}
