import type { Value } from '../graph/graph.ts';

/** Where a value lies inside the value whose place it shares, in floats. A value with a place of its own lies in itself. */
export interface Storage {
  readonly root: Value;
  readonly offset: number;
}

/** A view shares the place of its input; so does a slice whose entries lie side by side there. */
export function storageOf(value: Value): Storage {
  if (value.op === 'view') return storageOf(value.inputs[0]);
  if (!isContiguousSlice(value)) return { root: value, offset: 0 };
  const [source] = value.inputs;
  const { root, offset } = storageOf(source);
  const { axis, start } = (value as Value<'slice'>).attributes; // by its op
  const step = source.shape.slice(axis + 1).reduce((size, length) => size * length, 1);
  return { root, offset: offset + start * step };
}

export function sharesPlace(value: Value): boolean {
  return value.op === 'view' || isContiguousSlice(value);
}

function isContiguousSlice(value: Value): boolean {
  if (value.op !== 'slice') return false;
  const { axis } = (value as Value<'slice'>).attributes; // by its op
  return value.inputs[0].shape.slice(0, axis).every((length) => length === 1);
}
