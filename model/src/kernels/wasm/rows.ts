import type { KernelCall, Operand } from '../backend.ts';
import { lastAxis, placeOf, rowCount, type KernelExports, type KernelName, type Kernels } from './binder.ts';

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
  | 'dot';

/** A kernel of two inputs, the sizes being those of `matrix`. */
function binary(
  { inputs: [a, b], output }: KernelCall,
  run: KernelExports[KernelName],
  matrix: Operand,
): () => void {
  const [pa, pb, py] = [placeOf(a), placeOf(b), placeOf(output)];
  const [rows, columns] = [rowCount(matrix), lastAxis(matrix)];
  return () => {
    run(pa, pb, py, rows, columns);
  };
}

function unary(
  { inputs: [a], output }: KernelCall,
  run: KernelExports[KernelName],
  matrix: Operand,
): () => void {
  const [from, to] = [placeOf(a), placeOf(output)];
  const [rows, columns] = [rowCount(matrix), lastAxis(matrix)];
  return () => {
    run(from, to, rows, columns);
  };
}

export const rows: Kernels<Op> = {
  addRow: { bind: (call, { addRow }) => binary(call, addRow, call.output) },
  addRowPositive: { bind: (call, { addRowPositive }) => binary(call, addRowPositive, call.output) },
  multiplyRow: { bind: (call, { multiplyRow }) => binary(call, multiplyRow, call.output) },
  multiplyColumn: { bind: (call, { multiplyColumn }) => binary(call, multiplyColumn, call.output) },
  columnDot: { bind: (call, { columnDot }) => binary(call, columnDot, call.inputs[0]) },
  rowDot: { bind: (call, { rowDot }) => binary(call, rowDot, call.inputs[0]) },
  repeatRow: { bind: (call, { repeatRow }) => unary(call, repeatRow, call.output) },
  repeatColumn: { bind: (call, { repeatColumn }) => unary(call, repeatColumn, call.output) },
  columnSum: { bind: (call, { columnSum }) => unary(call, columnSum, call.inputs[0]) },
  rowSum: { bind: (call, { rowSum }) => unary(call, rowSum, call.inputs[0]) },
  dot: {
    bind({ inputs: [a, b], output }, { dot }) {
      const [pa, pb, py, many] = [placeOf(a), placeOf(b), placeOf(output), a.size];
      return () => {
        dot(pa, pb, py, many);
      };
    },
  },
};
