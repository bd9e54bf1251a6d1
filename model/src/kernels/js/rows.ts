import type { Operand } from '../backend.ts';
import type { Kernels } from './binder.ts';

type Op =
  | 'addRow'
  | 'addRowPositive'
  | 'multiplyRow'
  | 'repeatRow'
  | 'columnSum'
  | 'columnDot'
  | 'multiplyColumn'
  | 'repeatColumn'
  | 'rowSum'
  | 'rowDot'
  | 'multiplyScalar'
  | 'dot';

export const rows: Kernels<Op> = {
  addRow({ inputs: [a, row], output: y }, f) {
    const columns = row.size;
    return () => {
      for (let start = 0; start < y.size; start += columns)
        for (let c = 0; c < columns; c++)
          f[y.offset + start + c] = f[a.offset + start + c] + f[row.offset + c];
    };
  },

  addRowPositive({ inputs: [a, row], output: y }, f) {
    const columns = row.size;
    return () => {
      for (let start = 0; start < y.size; start += columns)
        for (let c = 0; c < columns; c++) {
          const sum = f[a.offset + start + c] + f[row.offset + c];
          f[y.offset + start + c] = sum > 0 ? sum : 0;
        }
    };
  },

  multiplyRow({ inputs: [a, row], output: y }, f) {
    const columns = row.size;
    return () => {
      for (let start = 0; start < y.size; start += columns)
        for (let c = 0; c < columns; c++)
          f[y.offset + start + c] = f[a.offset + start + c] * f[row.offset + c];
    };
  },

  repeatRow({ inputs: [row], output: y }, f) {
    return () => {
      for (let start = 0; start < y.size; start += row.size)
        f.copyWithin(y.offset + start, row.offset, row.offset + row.size);
    };
  },

  columnSum({ inputs: [a], output: y }, f) {
    return () => {
      f.fill(0, y.offset, y.offset + y.size);
      for (let start = 0; start < a.size; start += y.size)
        for (let c = 0; c < y.size; c++) f[y.offset + c] += f[a.offset + start + c];
    };
  },

  columnDot({ inputs: [a, b], output: y }, f) {
    return () => {
      f.fill(0, y.offset, y.offset + y.size);
      for (let start = 0; start < a.size; start += y.size)
        for (let c = 0; c < y.size; c++) f[y.offset + c] += f[a.offset + start + c] * f[b.offset + start + c];
    };
  },

  multiplyColumn({ inputs: [a, column], output: y }, f) {
    const columns = lastAxis(a);
    return () => {
      for (let r = 0, i = 0; r < column.size; r++) {
        const factor = f[column.offset + r];
        for (const end = i + columns; i < end; i++) f[y.offset + i] = f[a.offset + i] * factor;
      }
    };
  },

  repeatColumn({ inputs: [column], output: y }, f) {
    const columns = lastAxis(y);
    return () => {
      for (let r = 0, to = y.offset; r < column.size; r++, to += columns)
        f.fill(f[column.offset + r], to, to + columns);
    };
  },

  rowSum({ inputs: [a], output: y }, f) {
    const columns = lastAxis(a);
    return () => {
      for (let r = 0, i = 0; r < y.size; r++) {
        let sum = 0;
        for (const end = i + columns; i < end; i++) sum += f[a.offset + i];
        f[y.offset + r] = sum;
      }
    };
  },

  rowDot({ inputs: [a, b], output: y }, f) {
    const columns = lastAxis(a);
    return () => {
      for (let r = 0, i = 0; r < y.size; r++) {
        let sum = 0;
        for (const end = i + columns; i < end; i++) sum += f[a.offset + i] * f[b.offset + i];
        f[y.offset + r] = sum;
      }
    };
  },

  multiplyScalar({ inputs: [a, scalar], output: y }, f) {
    return () => {
      const factor = f[scalar.offset];
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[a.offset + i] * factor;
    };
  },

  dot({ inputs: [a, b], output: y }, f) {
    return () => {
      let sum = 0;
      for (let i = 0; i < a.size; i++) sum += f[a.offset + i] * f[b.offset + i];
      f[y.offset] = sum;
    };
  },
};

function lastAxis({ shape }: Operand): number {
  return shape[shape.length - 1];
}
