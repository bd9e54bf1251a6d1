/** L2 norm, summed in float64. */
export function norm(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

/** Scales a vector down to a norm, in place. Gives whether it was longer. */
export function clipToNorm(vector: Float32Array, most: number): boolean {
  const length = norm(vector);
  if (length <= most) return false;
  const factor = most / length;
  for (let i = 0; i < vector.length; i++) vector[i] *= factor;
  return true;
}
