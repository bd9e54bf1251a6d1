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

/** Every primitive that computes something, in the shapes that exercise its edges. */
const builds: { readonly [Op in Exclude<Primitive, 'leaf' | 'constant'>]: Record<string, Build> } = {
  matmul: {
    'a b': (c) => c.graph.matmul(c.varies(5, 7), c.varies(7, 6)),
    'aᵀ b': (c) => c.graph.matmul(c.varies(7, 5), c.varies(7, 9), true),
    'a bᵀ': (c) => c.graph.matmul(c.varies(8, 7), c.varies(5, 7), false, true),
    'aᵀ bᵀ': (c) => c.graph.matmul(c.varies(7, 6), c.varies(5, 7), true, true),
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
  maskPositive: {
    'by another': (c) => c.graph.maskPositive(c.varies(3, 4), c.integers(2, 3, 4)),
    'by itself': (c) => {
      const a = c.varies(3, 4);
      return c.graph.maskPositive(a, a);
    },
  },
  tanh: { 'element by element': (c) => c.graph.tanh(c.varies(3, 4)) },
  view: { 'of another shape': (c) => c.graph.scale(c.graph.view(c.varies(3, 4), [2, 6]), 2) },
  addRow: { 'to each row': (c) => c.graph.addRow(c.varies(2, 3, 4), c.varies(4)) },
  multiplyRow: { 'with each row': (c) => c.graph.multiplyRow(c.varies(2, 3, 4), c.varies(4)) },
  repeatRow: { 'three times': (c) => c.graph.repeatRow(c.varies(4), [3, 4]) },
  columnSum: { 'of rows': (c) => c.graph.columnSum(c.varies(2, 3, 4)) },
  columnDot: { 'of rows': (c) => c.graph.columnDot(c.varies(3, 4), c.varies(3, 4)) },
  multiplyColumn: { 'with each column': (c) => c.graph.multiplyColumn(c.varies(3, 4), c.varies(3)) },
  rowDot: { 'of columns': (c) => c.graph.rowDot(c.varies(3, 4), c.varies(3, 4)) },
  multiplyScalar: { 'with one value': (c) => c.graph.multiplyScalar(c.varies(3, 4), c.varies(1)) },
  dot: { 'of matrices': (c) => c.graph.dot(c.varies(3, 4), c.varies(3, 4)) },
  softmax: { 'of rows': (c) => c.graph.softmax(c.varies(3, 5)) },
  crossEntropy: { 'of rows': (c) => c.graph.crossEntropy(c.varies(4, 5), c.integers(5, 4)) },
  oneHot: { 'of labels': (c) => c.graph.oneHot(c.integers(5, 4), 5) },
};

export const primitiveCases: readonly {
  readonly name: string;
  readonly build: (seed: number) => PrimitiveCase;
}[] = Object.entries(builds).flatMap(([op, variants]) =>
  Object.entries(variants).map(([variant, build]) => ({
    name: `${op} ${variant}`,
    build(seed: number): PrimitiveCase {
      const builder = new CaseBuilder(seed);
      const value = build(builder);
      const { graph, leaves, varying } = builder;
      return { graph, value, leaves, varying };
    },
  })),
);
