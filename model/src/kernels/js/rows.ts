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

/** Sums are kept in float64; down the columns four at a time, twice as fast as adding whole rows in f32. */
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
    const columns = y.size;
    const tiled = columns - (columns % 4);
    return () => {
      const end = a.offset + a.size;
      for (let c = 0; c < tiled; c += 4) {
        // prettier-ignore
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (let at = a.offset + c; at < end; at += columns) {
          s0 += f[at];
          s1 += f[at + 1];
          s2 += f[at + 2];
          s3 += f[at + 3];
        }
        setFour(f, y.offset + c, s0, s1, s2, s3);
      }
      for (let c = tiled; c < columns; c++) {
        let sum = 0;
        for (let at = a.offset + c; at < end; at += columns) sum += f[at];
        f[y.offset + c] = sum;
      }
    };
  },

  columnDot({ inputs: [a, b], output: y }, f) {
    const columns = y.size;
    const tiled = columns - (columns % 4);
    return () => {
      const end = a.offset + a.size;
      for (let c = 0; c < tiled; c += 4) {
        // prettier-ignore
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (let p = a.offset + c, q = b.offset + c; p < end; p += columns, q += columns) {
          s0 += f[p] * f[q];
          s1 += f[p + 1] * f[q + 1];
          s2 += f[p + 2] * f[q + 2];
          s3 += f[p + 3] * f[q + 3];
        }
        setFour(f, y.offset + c, s0, s1, s2, s3);
      }
      for (let c = tiled; c < columns; c++) {
        let sum = 0;
        for (let p = a.offset + c, q = b.offset + c; p < end; p += columns, q += columns) sum += f[p] * f[q];
        f[y.offset + c] = sum;
      }
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

function setFour(f: Float32Array, at: number, s0: number, s1: number, s2: number, s3: number): void {
  f[at] = s0;
  f[at + 1] = s1;
  f[at + 2] = s2;
  f[at + 3] = s3;
}
