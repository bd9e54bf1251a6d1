import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ancestors, gradient } from '../../graph/gradient.ts';
import { Graph, lastAxis, rowCount, type Value } from '../../graph/graph.ts';
import type { Primitive } from '../../graph/primitives.ts';
import { Executable } from '../../plan/executable.ts';
import { stream } from '../../random/streams.ts';
import { evaluate } from '../../testing/reference.ts';
import { jsBackend } from './index.ts';

/** Convolutions and pooling have shapes of their own and are held by their cases; the rest may meet in any order. */
type Mixed = Exclude<
  Primitive,
  | 'leaf'
  | 'constant'
  | `convolution${string}`
  | `depthwise${string}`
  | `averagePool${string}`
  | 'maxPoolIndex'
  | 'gather'
  | 'scatter'
  | 'crossEntropy'
  | 'oneHot'
>;

/** Hands out further inputs for a primitive: a value there is of that size, or a leaf. */
interface Inputs {
  readonly graph: Graph;
  readonly like: (...shape: number[]) => Value;
  readonly integers: (below: number, ...shape: number[]) => Value;
  /** A choice below `n`. */
  readonly choose: (n: number) => number;
}

const positive = (graph: Graph, a: Value) => graph.shift(graph.softplus(a), 0.25);
const axisOf = (a: Value, { choose }: Inputs) => choose(a.shape.length);

/** Applies one primitive to a value of any shape. */
const steps: { readonly [Op in Mixed]: (a: Value, inputs: Inputs) => Value } = {
  add: (a, { graph, like }) => graph.add(a, like(...a.shape)),
  subtract: (a, { graph, like }) => graph.subtract(a, like(...a.shape)),
  multiply: (a, { graph, like }) => graph.multiply(a, like(...a.shape)),
  scale: (a, { graph, choose }) => graph.scale(a, (choose(9) - 4) / 3),
  shift: (a, { graph, choose }) => graph.shift(a, (choose(9) - 4) / 3),
  descend: (a, { graph, like }) => graph.descend(a, like(...a.shape), like(1)),
  maskPositive: (a, { graph, like }) => graph.maskPositive(a, like(...a.shape)),
  exp: (a, { graph }) => graph.exp(a),
  log: (a, { graph }) => graph.log(positive(graph, a)),
  reciprocal: (a, { graph }) => graph.reciprocal(positive(graph, a)),
  squareRoot: (a, { graph }) => graph.squareRoot(positive(graph, a)),
  reciprocalRoot: (a, { graph }) => graph.reciprocalRoot(positive(graph, a)),
  tanh: (a, { graph }) => graph.tanh(a),
  sigmoid: (a, { graph }) => graph.sigmoid(a),
  softplus: (a, { graph }) => graph.softplus(a),
  erf: (a, { graph }) => graph.erf(a),
  gelu: (a, { graph, choose }) => graph.gelu(a, choose(2) === 0 ? 'erf' : 'tanh'),
  geluGradient: (a, { graph, like, choose }) =>
    graph.geluGradient(a, like(...a.shape), choose(2) === 0 ? 'erf' : 'tanh'),

  view(a, { graph, choose }) {
    const divisors = Array.from({ length: a.size }, (_, i) => i + 1).filter((n) => a.size % n === 0);
    const columns = divisors[choose(divisors.length)];
    return graph.view(a, [a.size / columns, columns]);
  },
  permute(a, { graph, choose }) {
    const left = a.shape.map((_, axis) => axis);
    return graph.permute(
      a,
      a.shape.map(() => left.splice(choose(left.length), 1)[0]),
    );
  },
  slice(a, inputs) {
    const axis = axisOf(a, inputs);
    const start = inputs.choose(a.shape[axis]);
    return inputs.graph.slice(a, axis, start, start + 1 + inputs.choose(a.shape[axis] - start));
  },
  pad: (a, inputs) => inputs.graph.pad(a, axisOf(a, inputs), inputs.choose(3), inputs.choose(3)),
  concat(a, inputs) {
    const axis = axisOf(a, inputs);
    const other = inputs.like(...a.shape.map((length, i) => (i === axis ? 1 : length)));
    return inputs.graph.concat(inputs.choose(2) === 0 ? [a, other] : [other, a, other], axis);
  },
  takeRows(a, { graph, integers, choose }) {
    const table = graph.view(a, [rowCount(a), lastAxis(a)]);
    return graph.takeRows(table, integers(rowCount(a), 1 + choose(3), 2));
  },
  addRowsAt(a, { graph, integers, choose }) {
    const rows = 1 + choose(5);
    return graph.addRowsAt(a, integers(rows, rowCount(a)), rows);
  },

  addRow: (a, { graph, like }) => graph.addRow(a, like(lastAxis(a))),
  addRowPositive: (a, { graph, like }) => graph.addRowPositive(a, like(lastAxis(a))),
  multiplyRow: (a, { graph, like }) => graph.multiplyRow(a, like(lastAxis(a))),
  repeatRow: (a, { graph, like, choose }) => graph.repeatRow(like(lastAxis(a)), [1 + choose(3), lastAxis(a)]),
  columnSum: (a, { graph }) => graph.columnSum(a),
  columnDot: (a, { graph, like }) => graph.columnDot(a, like(...a.shape)),
  multiplyColumn: (a, { graph, like }) => graph.multiplyColumn(a, like(rowCount(a))),
  repeatColumn: (a, { graph, choose }) => graph.repeatColumn(graph.rowSum(a), [rowCount(a), 1 + choose(4)]),
  rowSum: (a, { graph }) => graph.rowSum(a),
  rowDot: (a, { graph, like }) => graph.rowDot(a, like(...a.shape)),
  normaliseRows: (a, { graph }) => graph.normaliseRows(a, 0.1),
  normaliseRowsGradient: (a, { graph, like }) => graph.normaliseRowsGradient(a, like(...a.shape), 0.1),
  multiplyScalar: (a, { graph, like }) => graph.multiplyScalar(a, like(1)),
  dot: (a, { graph, like }) => graph.dot(a, like(...a.shape)),

  softmax: (a, { graph, choose }) => graph.softmax(a, a.shape.length > 1 && choose(2) === 0),
  matmul(a, { graph, like, choose }) {
    const matrix = graph.view(a, [rowCount(a), lastAxis(a)]);
    const many = 1 + choose(4);
    return choose(2) === 0
      ? graph.matmul(matrix, like(lastAxis(a), many))
      : graph.matmul(matrix, like(many, rowCount(a)), true, true);
  },
  lstm(a, { graph, like }) {
    const [length, hidden] = [rowCount(a), lastAxis(a)];
    return graph.lstm(
      graph.view(graph.concat([a, a, a, a], 0), [length, 1, 4 * hidden]),
      like(hidden, 4 * hidden),
    );
  },
  lstmGradient(a, inputs) {
    const { graph, like } = inputs;
    const [length, hidden] = [rowCount(a), lastAxis(a)];
    const gates = like(length, 1, 4 * hidden);
    const wh = like(hidden, 4 * hidden);
    return graph.lstmGradient(graph.view(a, [length, 1, hidden]), wh, graph.lstm(gates, wh));
  },
};

const mixed = Object.entries(steps);
/** Larger values are cut down before they go on. */
const largestSize = 96;

/** A graph from a list of choices: each step applies one primitive to one value there is. */
function randomGraph(choices: readonly (readonly [number, number, number])[]) {
  const graph = new Graph();
  const random = stream(3, 'leaves');
  const leaves = new Map<Value, Float32Array>();
  const leaf = (shape: readonly number[], draw: () => number) => {
    const made = graph.leaf(`leaf-${leaves.size}`, shape);
    leaves.set(made, Float32Array.from({ length: made.size }, draw));
    return made;
  };
  const real = () => 3 * random.nextFloat() - 1.5;
  const values: Value[] = [leaf([2, 3, 4], real), leaf([5, 3], real), leaf([7], real)];
  const made: Value[] = [];
  for (const [op, which, seed] of choices) {
    const choice = stream(seed, 'choices');
    const choose = (n: number) => choice.below(n);
    const inputs: Inputs = {
      graph,
      choose,
      like(...shape) {
        const size = shape.reduce((product, axis) => product * axis, 1);
        const fitting = values.filter((value) => value.size === size);
        if (fitting.length === 0) return leaf(shape, real);
        return graph.view(fitting[choose(fitting.length)], shape);
      },
      integers: (below, ...shape) => leaf(shape, () => random.below(below)),
    };
    const value = mixed[op % mixed.length][1](values[which % values.length], inputs);
    made.push(value);
    const small = value.size <= largestSize ? value : graph.slice(graph.view(value, [value.size]), 0, 0, 60);
    values.push(graph.tanh(small)); // keeps every value near 1, whatever comes next
  }
  return { graph, leaves, made, last: values[values.length - 1] };
}

function run(outputs: readonly Value[], leaves: ReadonlyMap<Value, Float32Array>): Float32Array[] {
  const executable = new Executable(outputs, jsBackend);
  for (const [leaf, values] of leaves) executable.place(leaf)?.set(values);
  executable.run();
  executable.run(); // must not see what the first one left
  return outputs.map((output) => executable.place(output)!);
}

/** One value by its definition, from the f32 values of its inputs. */
function defined(value: Value, found: ReadonlyMap<Value, ArrayLike<number>>): Float64Array {
  const given = new Map<Value, ArrayLike<number>>();
  const inputs = value.inputs.map((input) => {
    const leaf: Value = { ...input, op: 'leaf', inputs: [] };
    given.set(leaf, found.get(input)!);
    return leaf;
  });
  return evaluate([{ ...value, inputs }], given)[0];
}

const choices = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 14 });

describe('random graphs on the JavaScript kernels', () => {
  it('agree with the definition at every value', () => {
    fc.assert(
      fc.property(choices, (chosen) => {
        const { leaves, last, made } = randomGraph(chosen);
        const all = ancestors([last, ...made]);
        const results = run(all, leaves);
        const found = new Map(all.map((value, i) => [value, results[i]]));
        for (const value of all) {
          if (value.op === 'leaf') continue;
          const values = found.get(value)!;
          defined(value, found).forEach((x, i) => {
            if (!(Math.abs(values[i] - x) <= 1e-5 * Math.max(1, Math.abs(x))))
              expect.fail(`${value.op} gives ${values[i]} instead of ${x}`);
          });
        }
      }),
      { numRuns: 400 },
    );
  });

  it('give the same bits when places are reused, gradients included', () => {
    fc.assert(
      fc.property(choices, (chosen) => {
        const { graph, leaves, last } = randomGraph(chosen);
        const before = ancestors([last]);
        // What the planner alone makes comes after differentiation.
        fc.pre(before.every(({ op }) => op !== 'addRowPositive'));
        const varying = before.filter(({ op }) => op === 'leaf');
        const outputs = [last, ...gradient(graph, graph.dot(last, last), varying)];
        const all = ancestors(outputs);
        const keeping = run(all, leaves);
        const reusing = run(outputs, leaves);
        outputs.forEach((output, i) => {
          expect(reusing[i]).toEqual(keeping[all.indexOf(output)]);
        });
      }),
      { numRuns: 200 },
    );
  });
});
