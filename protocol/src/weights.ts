import type { Tensor } from './codec/index.ts';
import { readSafetensors, writeSafetensors } from './codec/index.ts';

/** Where each named tensor lies inside one flat vector of parameters. `@starling/model` lays models out so. */
export interface TensorTable {
  readonly size: number;
  readonly entries: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly offset: number;
    readonly size: number;
  }[];
}

/** A weights file does not hold the tensors of its model. */
export class WeightsMismatch extends Error {
  override readonly name = 'WeightsMismatch';
  readonly code = 'weights-mismatch';
}

/** Tensors (F32) of a flat vector of `table.size` values; they share its memory. */
export function tensorsOf(table: TensorTable, values: Float32Array): Tensor[] {
  return table.entries.map(({ name, shape, offset, size }) => ({
    name,
    dtype: 'F32',
    shape: [...shape],
    data: values.subarray(offset, offset + size),
  }));
}

/** A flat vector as a safetensors file. */
export function writeWeights(table: TensorTable, values: Float32Array): Uint8Array {
  return writeSafetensors(tensorsOf(table, values));
}

/**
 * Reads a weights file into a flat vector. Throws {@link WeightsMismatch} when a tensor of the table is missing,
 * has another dtype or shape, when the file holds others besides, or when a value is not finite.
 */
export function readWeights(table: TensorTable, bytes: Uint8Array): Float32Array {
  const { tensors } = readSafetensors(bytes);
  const values = new Float32Array(table.size);
  for (const { name, shape, offset } of table.entries) {
    const tensor = tensors.get(name);
    if (!tensor) throw new WeightsMismatch(`The weights file lacks the tensor "${name}".`);
    const wanted = shape.join('x');
    if (tensor.dtype !== 'F32' || tensor.shape.join('x') !== wanted) {
      throw new WeightsMismatch(
        `Tensor "${name}" is ${tensor.dtype} ${tensor.shape.join('x')}; the model wants F32 ${wanted}.`,
      );
    }
    values.set(tensor.data, offset);
  }
  if (tensors.size !== table.entries.length) {
    const known = new Set(table.entries.map((entry) => entry.name));
    const extra = [...tensors.keys()].filter((name) => !known.has(name));
    throw new WeightsMismatch(`The weights file holds tensors the model does not have: ${extra.join(', ')}.`);
  }
  if (!values.every(Number.isFinite)) throw new WeightsMismatch('The weights file holds NaN or infinity.');
  return values;
}
