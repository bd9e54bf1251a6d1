import type { Operand } from '../backend.ts';
import type { Kernels } from './binder.ts';

type Op = 'permute' | 'slice' | 'pad' | 'concat' | 'takeRows' | 'addRowsAt';

export const places: Kernels<Op> = {
  permute({ inputs: [a], output: y, attributes: { axes } }, f) {
    const rank = axes.length;
    const steps = axes.map((axis) => product(a.shape.slice(axis + 1)));
    // Axes at the end that stay where they are move as one block.
    let outer = rank;
    while (outer > 0 && axes[outer - 1] === outer - 1) outer--;
    const block = product(y.shape.slice(outer));
    const columns = y.shape[outer - 1];
    const columnStep = steps[outer - 1];
    const count = new Int32Array(outer);
    return () => {
      let from = a.offset;
      for (let to = y.offset; to < y.offset + y.size;) {
        for (let c = 0, at = from; c < columns; c++, at += columnStep, to += block) copy(f, to, at, block);
        for (let axis = outer - 2; axis >= 0; axis--) {
          from += steps[axis];
          if (++count[axis] < y.shape[axis]) break;
          from -= y.shape[axis] * steps[axis];
          count[axis] = 0;
        }
      }
    };
  },

  slice({ inputs: [a], output: y, attributes: { axis, start } }, f) {
    const [row, cut] = [rowFrom(a, axis), rowFrom(y, axis)];
    const first = start * rowFrom(a, axis + 1);
    return () => {
      for (let from = a.offset + first, to = y.offset; to < y.offset + y.size; from += row, to += cut)
        copy(f, to, from, cut);
    };
  },

  pad({ inputs: [a], output: y, attributes: { axis, before } }, f) {
    const [row, padded] = [rowFrom(a, axis), rowFrom(y, axis)];
    const first = before * rowFrom(y, axis + 1);
    return () => {
      for (let from = a.offset, to = y.offset; to < y.offset + y.size; from += row, to += padded) {
        f.fill(0, to, to + first);
        copy(f, to + first, from, row);
        f.fill(0, to + first + row, to + padded);
      }
    };
  },

  concat({ inputs, output: y, attributes: { axis } }, f) {
    const whole = rowFrom(y, axis);
    const parts = inputs.map((input) => ({ offset: input.offset, row: rowFrom(input, axis) }));
    return () => {
      let first = y.offset;
      for (const { offset, row } of parts) {
        for (let from = offset, to = first; to < y.offset + y.size; from += row, to += whole)
          copy(f, to, from, row);
        first += row;
      }
    };
  },

  takeRows({ inputs: [table, index], output: y }, f) {
    const columns = table.shape[1];
    return () => {
      for (let i = 0, to = y.offset; i < index.size; i++, to += columns)
        copy(f, to, table.offset + f[index.offset + i] * columns, columns);
    };
  },

  addRowsAt({ inputs: [d, index], output: y }, f) {
    const columns = y.shape[1];
    return () => {
      f.fill(0, y.offset, y.offset + y.size);
      for (let i = 0, from = d.offset; i < index.size; i++) {
        const to = y.offset + f[index.offset + i] * columns;
        for (let c = 0; c < columns; c++) f[to + c] += f[from++];
      }
    };
  },
};

/** Below this many values a loop is faster than the call of `copyWithin`. */
const shortCopy = 32;

function copy(f: Float32Array, to: number, from: number, many: number): void {
  if (many < shortCopy) for (let i = 0; i < many; i++) f[to + i] = f[from + i];
  else f.copyWithin(to, from, from + many);
}

/** Values under one index of all axes before `axis`. */
function rowFrom({ shape }: Operand, axis: number): number {
  return product(shape.slice(axis));
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}
