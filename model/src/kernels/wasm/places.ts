import type { Operand } from '../backend.ts';
import { placeOf, product, type Kernels } from './binder.ts';

type Op = 'permute' | 'slice' | 'pad' | 'concat' | 'takeRows' | 'addRowsAt';

/** Values under one index of all axes before `axis`. */
function rowFrom({ shape }: Operand, axis: number): number {
  return product(shape.slice(axis));
}

interface Axis {
  length: number;
  readonly step: number;
}

/** Axes of a result with their steps in the source; neighbours that stay neighbours become one. */
function joinedAxes(shape: readonly number[], axes: readonly number[]): Axis[] {
  const joined: Axis[] = [];
  for (const axis of axes) {
    const next = { length: shape[axis], step: product(shape.slice(axis + 1)) };
    if (next.length === 1) continue;
    const last = joined.at(-1);
    if (last?.step === next.length * next.step)
      joined[joined.length - 1] = { length: last.length * next.length, step: next.step };
    else joined.push(next);
  }
  return joined;
}

/** Axes that one call of the kernel walks. */
const kernelAxes = 5;

export const places: Kernels<Op> = {
  permute: {
    bind({ inputs: [a], output, attributes }, { permute }) {
      const axes = joinedAxes(a.shape, attributes.axes);
      while (axes.length < kernelAxes) axes.unshift({ length: 1, step: 0 });
      const outer = axes.splice(0, axes.length - kernelAxes);
      const [{ length: n4, step: s4 }, { length: n3, step: s3 }, { length: n2, step: s2 }] = axes;
      const [, , , { length: n1, step: s1 }, { length: n0, step: s0 }] = axes;
      const last = n0 === 1 ? 1 : s0;
      const calls = startsOf(outer);
      const size = n4 * n3 * n2 * n1 * n0 * Float32Array.BYTES_PER_ELEMENT;
      const [from, to] = [placeOf(a), placeOf(output)];
      return () => {
        for (let i = 0; i < calls.length; i++)
          permute(from + calls[i], to + i * size, n4, n3, n2, n1, n0, s4, s3, s2, s1, last);
      };
    },
  },

  slice: {
    bind({ inputs: [a], output, attributes: { axis, start } }, { copyRuns }) {
      const [row, run] = [rowFrom(a, axis), rowFrom(output, axis)];
      const from = placeOf(a) + start * rowFrom(a, axis + 1) * Float32Array.BYTES_PER_ELEMENT;
      const [to, many] = [placeOf(output), output.size / run];
      return () => {
        copyRuns(from, to, many, run, row, run);
      };
    },
  },

  pad: {
    bind({ inputs: [a], output, attributes: { axis, before, after } }, { pad }) {
      const [run, unit] = [rowFrom(a, axis), rowFrom(a, axis + 1)];
      const [from, to, many] = [placeOf(a), placeOf(output), a.size / run];
      const [zerosBefore, zerosAfter] = [before * unit, after * unit];
      return () => {
        pad(from, to, many, zerosBefore, run, zerosAfter);
      };
    },
  },

  concat: {
    bind({ inputs, output, attributes: { axis } }, { copyRuns }) {
      const whole = rowFrom(output, axis);
      const many = output.size / whole;
      let to = placeOf(output);
      const parts = inputs.map((input) => {
        const part = { from: placeOf(input), to, run: rowFrom(input, axis) };
        to += part.run * Float32Array.BYTES_PER_ELEMENT;
        return part;
      });
      return () => {
        for (let i = 0; i < parts.length; i++) {
          const part = parts[i];
          copyRuns(part.from, part.to, many, part.run, part.run, whole);
        }
      };
    },
  },

  takeRows: {
    bind({ inputs: [table, index], output }, { takeRows }) {
      const [pt, pi, py] = [placeOf(table), placeOf(index), placeOf(output)];
      const [rows, columns] = [index.size, table.shape[1]];
      return () => {
        takeRows(pt, pi, py, rows, columns);
      };
    },
  },

  addRowsAt: {
    bind({ inputs: [d, index], output }, { addRowsAt }) {
      const [pd, pi, py] = [placeOf(d), placeOf(index), placeOf(output)];
      const [rows, columns, size] = [index.size, output.shape[1], output.size];
      return () => {
        addRowsAt(pd, pi, py, rows, columns, size);
      };
    },
  },
};

/** Where each index of the outer axes starts, in bytes, in the order of the result. */
function startsOf(axes: readonly Axis[]): Int32Array {
  let starts = [0];
  for (const { length, step } of axes)
    starts = starts.flatMap((start) =>
      Array.from({ length }, (_, i) => start + i * step * Float32Array.BYTES_PER_ELEMENT),
    );
  return Int32Array.from(starts);
}
