/** Numbers under a shape, the last axis varying fastest: what slow, plain references in tests compute with. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function tensor(shape: readonly number[], values: ArrayLike<number>): Tensor {
  return { shape, data: Float64Array.from(values).slice(0, sizeOf(shape)) };
}

export function zeros(shape: readonly number[]): Tensor {
  return { shape, data: new Float64Array(sizeOf(shape)) };
}

/** @throws RangeError Outside the tensor. */
export function at({ shape, data }: Tensor, index: readonly number[]): number {
  if (index.length !== shape.length || index.some((i, axis) => !(i >= 0 && i < shape[axis])))
    throw new RangeError(`[${index.join()}] is outside of [${shape.join()}]`);
  return data[index.reduce((place, i, axis) => place * shape[axis] + i, 0)];
}

/** A tensor whose entries are given by their index. */
export function each(shape: readonly number[], f: (index: readonly number[]) => number): Tensor {
  const data = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let place = 0; place < data.length; place++) {
    data[place] = f([...index]);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]++;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
