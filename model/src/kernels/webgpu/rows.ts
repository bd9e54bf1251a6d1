import type { CallShapes, KernelCall, Operand } from '../backend.ts';
import { eachElement, eachRow, type Dispatch, type GpuKernels } from './dispatch.ts';
import { columnScratch, ofA, ofProducts, sumAll, sumColumns, sumRows, totalScratch } from './sums.ts';

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
  | 'normaliseRows'
  | 'normaliseRowsGradient'
  | 'dot'
  | 'softmax'
  | 'crossEntropy'
  | 'oneHot';

const inRow = 'arena[call.b + i % call.columns]';
const inColumn = 'arena[call.b + i / call.columns]';

export const rows: GpuKernels<Op> = {
  addRow: (call) => withLine(call, `arena[call.a + i] + ${inRow}`),
  addRowPositive: (call) =>
    withLine(call, 'select(0.0, sum, sum > 0.0)', `let sum = arena[call.a + i] + ${inRow};`),
  multiplyRow: (call) => withLine(call, `arena[call.a + i] * ${inRow}`),
  multiplyColumn: (call) => withLine(call, `arena[call.a + i] * ${inColumn}`),
  repeatRow: ({ inputs: [row], output }) => repeated(row, output, inRow),
  repeatColumn: ({ inputs: [column], output }) => repeated(column, output, inColumn),
  oneHot: ({ inputs: [labels], output }) =>
    repeated(labels, output, `select(0.0, 1.0, ${inColumn} == f32(i % call.columns))`),

  columnSum({ inputs: [a], output, scratch }) {
    const summed = { rows: a.size / output.size, columns: output.size, value: ofA, offsets: { a: a.offset } };
    return sumColumns(summed, output.offset, scratch.offset);
  },
  columnDot({ inputs: [a, b], output, scratch }) {
    const offsets = { a: a.offset, b: b.offset };
    const summed = { rows: a.size / output.size, columns: output.size, value: ofProducts, offsets };
    return sumColumns(summed, output.offset, scratch.offset);
  },
  rowSum: ({ inputs: [a], output }) => [
    sumRows(output.size, lastAxis(a), a.size, ofA, { a: a.offset }, output.offset),
  ],
  rowDot: ({ inputs: [a, b], output }) => [
    sumRows(output.size, lastAxis(a), a.size, ofProducts, { a: a.offset, b: b.offset }, output.offset),
  ],
  dot: ({ inputs: [a, b], output, scratch }) =>
    sumAll(a.size, ofProducts, { a: a.offset, b: b.offset }, output.offset, scratch.offset),

  /** Layer normalisation without its scale and offset (Ba, Kiros and Hinton 2016). */
  normaliseRows({ inputs: [x], output, attributes: { epsilon } }) {
    const steps = `${moments}
  ${each(`arena[call.y + first + c] = ${centred} * inverse;`)}`;
    const integers = { x: x.offset, y: output.offset, columns: lastAxis(x) };
    return [eachRow(x.size / lastAxis(x), { integers, reals: { epsilon } }, steps)];
  },

  /** s (d - mean(d) - y mean(d y)) with y the normalised row and s the inverse deviation. */
  normaliseRowsGradient({ inputs: [d, x], output, attributes: { epsilon } }) {
    const slope = 'arena[call.d + first + c]';
    const steps = `${moments}
  ${sumOver('level', slope)}
  level /= many;
  ${sumOver('products', `${centred} * ${slope}`)}
  let along = products / many * inverse * inverse;
  ${each(`arena[call.y + first + c] = inverse * (${slope} - level - ${centred} * along);`)}`;
    const integers = { d: d.offset, x: x.offset, y: output.offset, columns: lastAxis(x) };
    return [eachRow(x.size / lastAxis(x), { integers, reals: { epsilon } }, steps)];
  },

  softmax({ inputs: [x], output, attributes: { causal } }) {
    const columns = lastAxis(x);
    const seen = causal
      ? 'u32(clamp(i32(row % call.height) + 1 + i32(call.columns) - i32(call.height), 0, i32(call.columns)))'
      : 'call.columns';
    const steps = `let first = row * call.columns;
  let seen = ${seen};
  var own = ${least};
  for (var c = lane; c < seen; c += 64u) { own = max(own, arena[call.x + first + c]); }
  let largest = largestOfAll(own, lane);
  own = 0.0;
  for (var c = lane; c < seen; c += 64u) {
    let value = exp(arena[call.x + first + c] - largest);
    arena[call.y + first + c] = value;
    own += value;
  }
  let sum = sumOfAll(own, lane);
  ${each('arena[call.y + first + c] = select(0.0, arena[call.y + first + c] / sum, c < seen);')}`;
    const height = causal ? x.shape[x.shape.length - 2] : 1;
    const integers = { x: x.offset, y: output.offset, columns, height };
    return [eachRow(x.size / columns, { integers }, steps)];
  },

  /** log sum exp(logits) - logits[label], shifted by the largest logit. */
  crossEntropy({ inputs: [logits, labels], output }) {
    const steps = `let first = call.x + row * call.columns;
  var own = ${least};
  for (var c = lane; c < call.columns; c += 64u) { own = max(own, arena[first + c]); }
  let largest = largestOfAll(own, lane);
  ${sumOver('sum', 'exp(arena[first + c] - largest)')}
  if (lane == 0u) { arena[call.y + row] = log(sum) + largest - arena[first + u32(arena[call.labels + row])]; }`;
    const integers = { x: logits.offset, labels: labels.offset, y: output.offset, columns: lastAxis(logits) };
    return [eachRow(output.size, { integers }, steps)];
  },
};

/** Floats of scratch that sums over many rows need. */
export function sumScratch(
  op: 'columnSum' | 'columnDot' | 'dot',
  { inputs: [a], output }: CallShapes,
): number {
  return op === 'dot'
    ? totalScratch(product(a))
    : columnScratch(product(a) / product(output), product(output));
}

/** Below every f32 that is finite but one. */
const least = '-3.4028234e38';

function each(step: string): string {
  return `for (var c = lane; c < call.columns; c += 64u) { ${step} }`;
}

function sumOver(name: string, value: string): string {
  return `var ${name} = 0.0;
  ${each(`${name} += ${value};`)}
  ${name} = sumOfAll(${name}, lane);`;
}

/** Values are taken from the first of their row before their mean is: f32 has no digits to spare far from 0. */
const centred = '(arena[call.x + first + c] - origin - mean)';

/** `first` of the row, `many` values, `origin`, `mean` and the `inverse` of the deviation. */
const moments = `let first = row * call.columns;
  let many = f32(call.columns);
  let origin = arena[call.x + first];
  ${sumOver('mean', 'arena[call.x + first + c] - origin')}
  mean /= many;
  ${sumOver('squares', `${centred} * ${centred}`)}
  let inverse = 1.0 / sqrt(squares / many + call.epsilon);`;

function withLine({ inputs: [a, line], output }: KernelCall, value: string, steps = ''): Dispatch[] {
  const integers = { a: a.offset, b: line.offset, columns: lastAxis(output) };
  return [eachElement(output, { integers }, value, { steps })];
}

function repeated(line: Operand, output: Operand, value: string): Dispatch[] {
  return [eachElement(output, { integers: { b: line.offset, columns: lastAxis(output) } }, value)];
}

function lastAxis({ shape }: Operand): number {
  return shape[shape.length - 1];
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
