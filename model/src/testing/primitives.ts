import { Graph, type Value } from '../graph/graph.ts';
import type { Primitive } from '../graph/primitives.ts';
import { stream, type RandomStream } from '../random/streams.ts';

/** One use of a primitive: its inputs as leaves, those that it varies with, and values for all. */
export interface PrimitiveCase {
  readonly graph: Graph;
  readonly value: Value;
  readonly leaves: ReadonlyMap<Value, Float32Array>;
  readonly varying: readonly Value[];
}

class CaseBuilder {
  readonly graph = new Graph();
  readonly leaves = new Map<Value, Float32Array>();
  readonly varying: Value[] = [];
  readonly #random: RandomStream;

  constructor(seed: number) {
    this.#random = stream(seed, 'case');
  }

  /** A leaf of values between -1.5 and 1.5 that are not close to 0, where relu has its kink. */
  varies(...shape: number[]): Value {
    const leaf = this.#leaf(shape, () => {
      const x = 0.05 + 1.45 * this.#random.nextFloat();
      return this.#random.below(2) === 0 ? x : -x;
    });
    this.varying.push(leaf);
    return leaf;
  }

  /** A leaf of values between `least` and `most`; even logarithmically spread where both are positive. */
  between(least: number, most: number, ...shape: number[]): Value {
    const leaf = this.#leaf(shape, () => {
      const u = this.#random.nextFloat();
      return least > 0 ? least * (most / least) ** u : least + (most - least) * u;
    });
    this.varying.push(leaf);
    return leaf;
  }

  /** A leaf of integers below `n`: labels or indices. */
  integers(n: number, ...shape: number[]): Value {
    return this.#leaf(shape, () => this.#random.below(n));
  }

  #leaf(shape: readonly number[], draw: () => number): Value {
    const leaf = this.graph.leaf(`leaf-${this.leaves.size}`, shape);
    this.leaves.set(leaf, Float32Array.from({ length: leaf.size }, draw));
    return leaf;
  }
}

const strided = { strideHeight: 1, strideWidth: 2, padTop: 1, padBottom: 0, padLeft: 2, padRight: 1 };
const plain = { strideHeight: 1, strideWidth: 1, padTop: 0, padBottom: 0, padLeft: 0, padRight: 0 };
const overlapping = { height: 2, width: 3, strideHeight: 1, strideWidth: 2 };

type Build = (c: CaseBuilder) => Value;

/** Every primitive that can be differentiated, in the shapes that exercise its edges. */
const builds: {
  readonly [Op in Exclude<Primitive, 'leaf' | 'constant' | 'addRowPositive'>]: Record<string, Build>;
} = {
  matmul: {
    'a b': (c) => c.graph.matmul(c.varies(5, 7), c.varies(7, 6)),
    'aᵀ b': (c) => c.graph.matmul(c.varies(7, 5), c.varies(7, 9), true),
    'a bᵀ': (c) => c.graph.matmul(c.varies(8, 7), c.varies(5, 7), false, true),
    'aᵀ bᵀ': (c) => c.graph.matmul(c.varies(7, 6), c.varies(5, 7), true, true),
    'many a b': (c) => c.graph.matmul(c.varies(3, 5, 7), c.varies(3, 7, 6)),
    'many aᵀ b': (c) => c.graph.matmul(c.varies(2, 7, 5), c.varies(2, 7, 4), true),
    'many a bᵀ': (c) => c.graph.matmul(c.varies(3, 4, 2), c.varies(3, 5, 2), false, true),
    'many aᵀ bᵀ': (c) => c.graph.matmul(c.varies(2, 3, 1), c.varies(2, 5, 3), true, true),
    'with a column': (c) => c.graph.matmul(c.varies(5, 3), c.varies(3, 1)),
  },
  convolution: {
    'with stride and padding': (c) =>
      c.graph.convolution(c.varies(2, 3, 6, 2), c.varies(2, 3, 2, 5), strided),
    'as it is': (c) => c.graph.convolution(c.varies(2, 1, 6, 3), c.varies(1, 3, 3, 4), plain),
  },
  convolutionInputGradient: {
    'with stride and padding': (c) =>
      c.graph.convolutionInputGradient(c.varies(2, 3, 4, 5), c.varies(2, 3, 2, 5), [2, 3, 6, 2], strided),
    'as it is': (c) =>
      c.graph.convolutionInputGradient(c.varies(2, 1, 4, 4), c.varies(1, 3, 3, 4), [2, 1, 6, 3], plain),
  },
  convolutionFilterGradient: {
    'with stride and padding': (c) =>
      c.graph.convolutionFilterGradient(c.varies(2, 3, 6, 2), c.varies(2, 3, 4, 5), [2, 3, 2, 5], strided),
    'as it is': (c) =>
      c.graph.convolutionFilterGradient(c.varies(2, 1, 6, 3), c.varies(2, 1, 4, 4), [1, 3, 3, 4], plain),
  },
  depthwise: {
    'with stride and padding': (c) => c.graph.depthwise(c.varies(2, 3, 6, 3), c.varies(2, 3, 3), strided),
    'as it is': (c) => c.graph.depthwise(c.varies(2, 3, 4, 5), c.varies(2, 2, 5), plain),
    'with padding wider than the filter': (c) =>
      c.graph.depthwise(c.varies(1, 2, 3, 4), c.varies(1, 1, 4), strided),
  },
  depthwiseInputGradient: {
    'with stride and padding': (c) =>
      c.graph.depthwiseInputGradient(c.varies(2, 3, 4, 3), c.varies(2, 3, 3), [2, 3, 6, 3], strided),
    'as it is': (c) =>
      c.graph.depthwiseInputGradient(c.varies(2, 2, 3, 5), c.varies(2, 2, 5), [2, 3, 4, 5], plain),
  },
  depthwiseFilterGradient: {
    'with stride and padding': (c) =>
      c.graph.depthwiseFilterGradient(c.varies(2, 3, 6, 3), c.varies(2, 3, 4, 3), [2, 3, 3], strided),
    'as it is': (c) =>
      c.graph.depthwiseFilterGradient(c.varies(2, 3, 4, 5), c.varies(2, 2, 3, 5), [2, 2, 5], plain),
  },
  maxPoolIndex: { 'with overlap': (c) => c.graph.maxPoolIndex(c.varies(2, 3, 6, 2), overlapping) },
  gather: { 'by index': (c) => c.graph.gather(c.varies(2, 3, 4), c.integers(12, 2, 5)) },
  scatter: { 'where indices meet': (c) => c.graph.scatter(c.varies(2, 9), c.integers(4, 2, 9), [2, 4]) },
  averagePool: { 'with overlap': (c) => c.graph.averagePool(c.varies(2, 3, 6, 2), overlapping) },
  averagePoolGradient: {
    'with overlap': (c) => c.graph.averagePoolGradient(c.varies(2, 2, 2, 2), [2, 3, 6, 2], overlapping),
  },
  add: { 'element by element': (c) => c.graph.add(c.varies(3, 4), c.varies(3, 4)) },
  subtract: { 'element by element': (c) => c.graph.subtract(c.varies(3, 4), c.varies(3, 4)) },
  multiply: { 'element by element': (c) => c.graph.multiply(c.varies(3, 4), c.varies(3, 4)) },
  scale: { 'by a constant': (c) => c.graph.scale(c.varies(3, 4), -0.7) },
  shift: { 'by a constant': (c) => c.graph.shift(c.varies(3, 5), -0.7) },
  descend: {
    'along another': (c) => c.graph.descend(c.varies(3, 5), c.varies(3, 5), c.varies(1)),
    'along itself': (c) => {
      const a = c.varies(3, 5);
      return c.graph.descend(a, a, c.varies(1));
    },
  },
  exp: { 'element by element': (c) => c.graph.exp(c.varies(3, 5)) },
  log: { 'of positive values': (c) => c.graph.log(c.between(0.5, 3, 3, 5)) },
  reciprocal: {
    'of positive values': (c) => c.graph.reciprocal(c.between(0.5, 3, 3, 5)),
    'of negative values': (c) => c.graph.reciprocal(c.between(-3, -0.6, 7)),
  },
  squareRoot: { 'of positive values': (c) => c.graph.squareRoot(c.between(0.5, 3, 3, 5)) },
  reciprocalRoot: { 'of positive values': (c) => c.graph.reciprocalRoot(c.between(0.5, 3, 3, 5)) },
  maskPositive: {
    'by another': (c) => c.graph.maskPositive(c.varies(3, 4), c.integers(2, 3, 4)),
    'by itself': (c) => {
      const a = c.varies(3, 4);
      return c.graph.maskPositive(a, a);
    },
  },
  tanh: { 'element by element': (c) => c.graph.tanh(c.varies(3, 4)) },
  sigmoid: { 'element by element': (c) => c.graph.sigmoid(c.between(-6, 6, 3, 5)) },
  softplus: { 'element by element': (c) => c.graph.softplus(c.between(-6, 6, 3, 5)) },
  erf: { 'element by element': (c) => c.graph.erf(c.between(-3, 3, 3, 5)) },
  gelu: {
    'by erf': (c) => c.graph.gelu(c.between(-4, 4, 3, 5), 'erf'),
    'by tanh': (c) => c.graph.gelu(c.between(-4, 4, 3, 5), 'tanh'),
  },
  geluGradient: {
    'by erf': (c) => c.graph.geluGradient(c.varies(3, 5), c.between(-3, 3, 3, 5), 'erf'),
    'by tanh': (c) => c.graph.geluGradient(c.varies(3, 5), c.between(-3, 3, 3, 5), 'tanh'),
    'along itself': (c) => {
      const x = c.varies(3, 5);
      return c.graph.geluGradient(x, x, 'erf');
    },
  },
  view: { 'of another shape': (c) => c.graph.scale(c.graph.view(c.varies(3, 4), [2, 6]), 2) },
  permute: {
    'of two axes': (c) => c.graph.permute(c.varies(3, 5), [1, 0]),
    'of four axes': (c) => c.graph.permute(c.varies(2, 3, 4, 5), [3, 1, 0, 2]),
    'in a ring': (c) => c.graph.permute(c.varies(2, 3, 5), [1, 2, 0]),
    'with the last axis in place': (c) => c.graph.permute(c.varies(2, 3, 4, 5), [0, 2, 1, 3]),
    'of five axes with axes of 1': (c) => c.graph.permute(c.varies(2, 1, 3, 1, 4), [4, 3, 0, 1, 2]),
  },
  slice: {
    'along the first axis': (c) => c.graph.slice(c.varies(5, 3), 0, 1, 4),
    'along a middle axis': (c) => c.graph.slice(c.varies(2, 5, 3), 1, 2, 3),
    'along the last axis': (c) => c.graph.slice(c.varies(2, 3, 7), 2, 3, 7),
  },
  pad: {
    'along the first axis': (c) => c.graph.pad(c.varies(2, 3), 0, 1, 2),
    'along a middle axis': (c) => c.graph.pad(c.varies(2, 3, 4), 1, 2, 0),
    'along the last axis': (c) => c.graph.pad(c.varies(2, 3), 1, 0, 3),
  },
  concat: {
    'of three along the first axis': (c) =>
      c.graph.concat([c.varies(1, 3), c.varies(4, 3), c.varies(2, 3)], 0),
    'of three along a middle axis': (c) =>
      c.graph.concat([c.varies(2, 3, 2), c.varies(2, 1, 2), c.varies(2, 2, 2)], 1),
    'of two along the last axis': (c) => c.graph.concat([c.varies(2, 3), c.varies(2, 4)], 1),
    'of the same twice': (c) => {
      const a = c.varies(2, 3);
      return c.graph.concat([a, c.varies(2, 1), a], 1);
    },
  },
  takeRows: {
    'some twice': (c) => c.graph.takeRows(c.varies(3, 5), c.integers(3, 2, 4)),
    'of one value': (c) => c.graph.takeRows(c.varies(6, 1), c.integers(6, 4)),
  },
  addRowsAt: {
    'where indices meet': (c) => c.graph.addRowsAt(c.varies(2, 4, 5), c.integers(3, 2, 4), 3),
    'some rows left out': (c) => c.graph.addRowsAt(c.varies(3, 2), c.integers(9, 3), 9),
  },
  addRow: { 'to each row': (c) => c.graph.addRow(c.varies(2, 3, 4), c.varies(4)) },
  multiplyRow: { 'with each row': (c) => c.graph.multiplyRow(c.varies(2, 3, 4), c.varies(4)) },
  repeatRow: { 'three times': (c) => c.graph.repeatRow(c.varies(4), [3, 4]) },
  columnSum: { 'of rows': (c) => c.graph.columnSum(c.varies(2, 3, 4)) },
  columnDot: { 'of rows': (c) => c.graph.columnDot(c.varies(3, 4), c.varies(3, 4)) },
  multiplyColumn: { 'with each column': (c) => c.graph.multiplyColumn(c.varies(3, 4), c.varies(3)) },
  repeatColumn: { 'four times': (c) => c.graph.repeatColumn(c.varies(6), [2, 3, 5]) },
  rowSum: {
    'of columns': (c) => c.graph.rowSum(c.varies(2, 3, 5)),
    'of one column': (c) => c.graph.rowSum(c.varies(4, 1)),
  },
  normaliseRows: {
    'of odd length': (c) => c.graph.normaliseRows(c.varies(2, 3, 5), 1e-5),
    'under a large epsilon': (c) => c.graph.normaliseRows(c.varies(4, 2), 0.5),
  },
  normaliseRowsGradient: {
    'of odd length': (c) => c.graph.normaliseRowsGradient(c.varies(2, 5), c.varies(2, 5), 0.1),
    'along itself': (c) => {
      const x = c.varies(3, 4);
      return c.graph.normaliseRowsGradient(x, x, 0.1);
    },
  },
  rowDot: { 'of columns': (c) => c.graph.rowDot(c.varies(3, 4), c.varies(3, 4)) },
  multiplyScalar: { 'with one value': (c) => c.graph.multiplyScalar(c.varies(3, 4), c.varies(1)) },
  dot: { 'of matrices': (c) => c.graph.dot(c.varies(3, 4), c.varies(3, 4)) },
  lstm: {
    'of all states': (c) => c.graph.lstm(c.varies(3, 2, 12), c.varies(3, 12)),
    'of hidden states alone': (c) =>
      c.graph.slice(c.graph.lstm(c.varies(3, 2, 12), c.varies(3, 12)), 0, 0, 1),
    'of cells alone': (c) => c.graph.slice(c.graph.lstm(c.varies(3, 2, 8), c.varies(2, 8)), 0, 1, 2),
    'of the first states alone': (c) =>
      c.graph.slice(c.graph.lstm(c.varies(3, 2, 8), c.varies(2, 8)), 1, 0, 1),
    'of one step': (c) => c.graph.lstm(c.varies(1, 3, 8), c.varies(2, 8)),
    'of one step, hidden states alone': (c) =>
      c.graph.slice(c.graph.lstm(c.varies(1, 3, 8), c.varies(2, 8)), 0, 0, 1),
    'of one unit': (c) => c.graph.lstm(c.varies(4, 1, 4), c.varies(1, 4)),
  },
  lstmGradient: {
    'of any states': (c) => c.graph.lstmGradient(c.varies(3, 2, 3), c.varies(3, 12), c.varies(6, 3, 2, 3)),
    'of one step': (c) => c.graph.lstmGradient(c.varies(1, 2, 3), c.varies(3, 12), c.varies(6, 1, 2, 3)),
    'of its own states': (c) => {
      const [gates, wh] = [c.varies(2, 2, 8), c.varies(2, 8)];
      return c.graph.lstmGradient(c.varies(2, 2, 2), wh, c.graph.lstm(gates, wh));
    },
  },
  softmax: {
    'of rows': (c) => c.graph.softmax(c.varies(3, 5)),
    'of what each row sees': (c) => c.graph.softmax(c.varies(4, 4), true),
    'of many, with more columns than rows': (c) => c.graph.softmax(c.varies(2, 3, 5), true),
    'of many, with rows that see nothing': (c) => c.graph.softmax(c.varies(2, 4, 3), true),
  },
  crossEntropy: { 'of rows': (c) => c.graph.crossEntropy(c.varies(4, 5), c.integers(5, 4)) },
  oneHot: { 'of labels': (c) => c.graph.oneHot(c.integers(5, 4), 5) },
};

/** What the planner makes after differentiation, and values where finite differences have no digits left. */
const buildsForKernels: { readonly [Op in Primitive]?: Record<string, Build> } = {
  addRowPositive: {
    'to each row': (c) => c.graph.addRowPositive(c.varies(2, 3, 5), c.varies(5)),
    'of one column': (c) => c.graph.addRowPositive(c.varies(7, 1), c.varies(1)),
  },
  exp: { 'of large values': (c) => c.graph.exp(c.between(-60, 60, 53)) },
  log: { 'of small and large values': (c) => c.graph.log(c.between(1e-30, 1e30, 53)) },
  reciprocal: { 'of small and large values': (c) => c.graph.reciprocal(c.between(1e-30, 1e30, 53)) },
  squareRoot: {
    'of small and large values': (c) => c.graph.squareRoot(c.between(1e-30, 1e30, 53)),
    'of 0': (c) => c.graph.squareRoot(c.integers(1, 5)),
  },
  reciprocalRoot: {
    'of small and large values': (c) => c.graph.reciprocalRoot(c.between(1e-30, 1e30, 53)),
  },
  tanh: { 'of large values': (c) => c.graph.tanh(c.between(-50, 50, 53)) },
  sigmoid: { 'of large values': (c) => c.graph.sigmoid(c.between(-200, 200, 53)) },
  softplus: { 'of large values': (c) => c.graph.softplus(c.between(-200, 200, 53)) },
  erf: { 'of large values': (c) => c.graph.erf(c.between(-8, 8, 53)) },
  gelu: {
    'by erf, of large values': (c) => c.graph.gelu(c.between(-20, 20, 53), 'erf'),
    'by tanh, of large values': (c) => c.graph.gelu(c.between(-20, 20, 53), 'tanh'),
  },
  geluGradient: {
    'by erf, of large values': (c) => c.graph.geluGradient(c.varies(53), c.between(-20, 20, 53), 'erf'),
    'by tanh, of large values': (c) => c.graph.geluGradient(c.varies(53), c.between(-20, 20, 53), 'tanh'),
  },
  normaliseRows: {
    'far from 0': (c) => c.graph.normaliseRows(c.between(100, 101, 3, 37), 1e-5),
    'of one value, which becomes 0': (c) => c.graph.normaliseRows(c.varies(5, 1), 1e-5),
  },
  matmul: {
    'of larger matrices': (c) => c.graph.matmul(c.varies(19, 33), c.varies(33, 13)),
    'of many larger matrices': (c) => c.graph.matmul(c.varies(3, 19, 9), c.varies(3, 13, 9), false, true),
  },
  permute: { 'of long blocks': (c) => c.graph.permute(c.varies(3, 4, 67), [1, 0, 2]) },
  concat: { 'of long rows': (c) => c.graph.concat([c.varies(2, 67), c.varies(2, 33)], 1) },
  lstm: { 'of many units': (c) => c.graph.lstm(c.varies(5, 3, 36), c.between(-0.5, 0.5, 9, 36)) },
};

/** Every primitive that computes something, by name; finite differences hold where it is `differentiable`. */
export const primitiveCases: readonly {
  readonly name: string;
  readonly differentiable: boolean;
  readonly build: (seed: number) => PrimitiveCase;
}[] = [...casesOf(builds, true), ...casesOf(buildsForKernels, false)];

function casesOf(table: Readonly<Record<string, Record<string, Build>>>, differentiable: boolean) {
  return Object.entries(table).flatMap(([op, variants]) =>
    Object.entries(variants).map(([variant, build]) => ({
      name: `${op} ${variant}`,
      differentiable,
      build(seed: number): PrimitiveCase {
        const builder = new CaseBuilder(seed);
        const value = build(builder);
        const { graph, leaves, varying } = builder;
        return { graph, value, leaves, varying };
      },
    })),
  );
}
