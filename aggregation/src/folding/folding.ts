/** Adds vectors of float32 to exact sums of their fixed point. Same sums whatever does it. */
export interface Folding {
  readonly name: string;
  /** Whether all values are finite, with magnitudes of at most `clip`. */
  isWithin(values: Float32Array, clip: number): boolean;
  /**
   * lanes[i] += sum over vectors of weight * round(values[i] * 2^scaleBits), halves away from zero. Vectors have the length
   * of the lanes [size], passed {@link isWithin}, and leave the lanes within 2^53.
   */
  add(lanes: Float64Array, vectors: readonly WeightedVector[], scaleBits: number): void;
}

export interface WeightedVector {
  readonly values: Float32Array;
  readonly weight: number;
}
