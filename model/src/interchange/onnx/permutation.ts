/** Axis `i` of a stored tensor is axis `permutation[i]` of the value it stands for. */
export type Permutation = readonly number[];

export function identity(rank: number): Permutation {
  return Array.from({ length: rank }, (_, axis) => axis);
}

export function isIdentity(permutation: Permutation): boolean {
  return permutation.every((axis, i) => axis === i);
}

/** [B, …, C] with the channels behind the batch: [B, C, …], as ONNX convolves. */
export function channelsFirst(rank: number): Permutation {
  return [0, rank - 1, ...identity(rank - 1).slice(1)];
}

/** [B, T, …] with time in front: [T, B, …], as ONNX runs recurrences. */
export function timeFirst(rank: number): Permutation {
  return [1, 0, ...identity(rank).slice(2)];
}

/** The axes by which a tensor stored as `from` is transposed, to be stored as `to`. */
export function between(from: Permutation, to: Permutation): Permutation {
  return to.map((axis) => from.indexOf(axis));
}

/** Values in C order of a tensor of `shape`, moved so that axis `i` of the result is axis `permutation[i]`. */
export function permuteValues(
  values: Float32Array,
  shape: readonly number[],
  permutation: Permutation,
): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, length) => size * length, 1));
  const lengths = permutation.map((axis) => shape[axis]);
  const steps = permutation.map((axis) => strides[axis]);
  const result = new Float32Array(values.length);
  const place = lengths.map(() => 0);
  let source = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = values[source];
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      source += steps[axis];
      if (++place[axis] < lengths[axis]) break;
      source -= steps[axis] * lengths[axis];
      place[axis] = 0;
    }
  }
  return result;
}
