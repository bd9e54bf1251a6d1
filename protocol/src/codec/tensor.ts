/**
 * Tensors as they travel: a name, a dtype of the safetensors format, a shape and values in row-major order.
 * F16 and BF16 travel as their 16-bit patterns, since JavaScript has no array of them. Values are little-endian on
 * the wire, as in the memory of every engine that runs us.
 */
interface ArrayOf {
  F64: Float64Array;
  F32: Float32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I16: Int16Array;
  I8: Int8Array;
  U64: BigUint64Array;
  U32: Uint32Array;
  U16: Uint16Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

export type Dtype = keyof ArrayOf;

/** A tensor of a known dtype; `data.length` is the product of `shape` (1 for a scalar, whose shape is empty). */
export interface TensorOf<D extends Dtype> {
  name: string;
  dtype: D;
  shape: number[];
  data: ArrayOf[D];
}

export type Tensor = { [D in Dtype]: TensorOf<D> }[Dtype];

/** The array that holds the values of each dtype. */
export const arrayTypes = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies {
  [D in Dtype]: new (buffer: ArrayBuffer, offset: number, length: number) => ArrayOf[D];
};

/** Bytes that one value takes. */
export function widthOf(dtype: Dtype): number {
  return arrayTypes[dtype].BYTES_PER_ELEMENT;
}

/** Number of values of a shape, or undefined where a dimension or a product is no safe integer. */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || (dimension as number) < 0) return undefined; // a safe integer
    count *= dimension as number;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** The memory of a tensor's values, not a copy. */
export function bytesOf({ data }: Pick<Tensor, 'data'>): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
