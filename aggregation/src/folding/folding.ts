/** Adds vectors of float32 to exact sums of their fixed point. Same sums whatever does it. */
export interface Folding {
  readonly name: string;
  /** Whether all values are finite, with magnitudes of at most `clip`. */
  isWithin(values: Float32Array, clip: number): boolean;
  /**
   * lanes[i] += sum over vectors of weight * round(values[i] * 2^scaleBits), halves away from zero. Vectors have the length
   * of the lanes [size], and leave the lanes within 2^53. False, and no lane changed, where a vector is not within `clip`.
   */
  add(
    lanes: Float64Array,
    vectors: readonly WeightedVector[],
    terms: { readonly scaleBits: number; readonly clip: number },
  ): boolean;
}

export interface WeightedVector {
  readonly values: Float32Array;
  readonly weight: number;
}

/** What takes back exactly what these added: sums are of whole numbers. */
export function negated(vectors: readonly WeightedVector[]): WeightedVector[] {
  return vectors.map(({ values, weight }) => ({ values, weight: -weight }));
}
