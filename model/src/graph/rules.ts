import type { Graph, Value } from './graph.ts';
import type { ConvolutionGeometry, PoolGeometry, Primitive, PrimitiveAttributes } from './primitives.ts';

/**
 * How the cotangent `d` of a value becomes those of its inputs, written in primitives. One entry an input, built only
 * when it is asked for; undefined where the value does not vary with an input (labels, indices, masks).
 */
export type Rule = (graph: Graph, value: Value, d: Value) => readonly ((() => Value) | undefined)[];

/** A primitive that is missing here throws when it is differentiated. */
export type RuleTable = Readonly<Partial<Record<Primitive, Rule>>>;

const constant: Rule = (_, { inputs }) => inputs.map(() => undefined);

/** The convolution and its two gradients are each linear in both inputs, so each one's rule is the other two. */
const convolutionRules: RuleTable = {
  convolution(graph, { inputs: [x, filter], attributes }, d) {
    const geometry = attributes as ConvolutionGeometry;
    return [
      () => graph.convolutionInputGradient(d, filter, x.shape, geometry),
      () => graph.convolutionFilterGradient(x, d, filter.shape, geometry),
    ];
  },
  convolutionInputGradient(graph, { inputs: [outer, filter], attributes }, d) {
    const geometry = attributes as ConvolutionGeometry;
    return [
      () => graph.convolution(d, filter, geometry),
      () => graph.convolutionFilterGradient(d, outer, filter.shape, geometry),
    ];
  },
  convolutionFilterGradient(graph, { inputs: [x, outer], attributes }, d) {
    const geometry = attributes as ConvolutionGeometry;
    return [
      () => graph.convolutionInputGradient(outer, d, x.shape, geometry),
      () => graph.convolution(x, d, geometry),
    ];
  },
};

const poolRules: RuleTable = {
  maxPoolIndex: constant,
  gather: (graph, { inputs: [x, index] }, d) => [() => graph.scatter(d, index, x.shape), undefined],
  scatter: (graph, { inputs: [, index] }, d) => [() => graph.gather(d, index), undefined],
  averagePool: (graph, { inputs: [x], attributes }, d) => [
    () => graph.averagePoolGradient(d, x.shape, attributes as PoolGeometry),
  ],
  averagePoolGradient: (graph, { attributes }, d) => [() => graph.averagePool(d, attributes as PoolGeometry)],
};

const elementwiseRules: RuleTable = {
  add: (_, __, d) => [() => d, () => d],
  subtract: (graph, _, d) => [() => d, () => graph.scale(d, -1)],
  multiply: (graph, { inputs: [a, b] }, d) => [() => graph.multiply(d, b), () => graph.multiply(d, a)],
  scale: (graph, { attributes }, d) => [
    () => graph.scale(d, (attributes as PrimitiveAttributes['scale']).factor),
  ],
  maskPositive: (graph, { inputs: [, where] }, d) => [() => graph.maskPositive(d, where), undefined],
  tanh: (graph, y, d) => [() => graph.subtract(d, graph.multiply(d, graph.multiply(y, y)))],
  view: (graph, { inputs: [a] }, d) => [() => graph.view(d, a.shape)],
};

const rowRules: RuleTable = {
  addRow: (graph, _, d) => [() => d, () => graph.columnSum(d)],
  multiplyRow: (graph, { inputs: [a, row] }, d) => [
    () => graph.multiplyRow(d, row),
    () => graph.columnDot(d, a),
  ],
  repeatRow: (graph, _, d) => [() => graph.columnSum(d)],
  columnSum: (graph, { inputs: [a] }, d) => [() => graph.repeatRow(d, a.shape)],
  columnDot: (graph, { inputs: [a, b] }, d) => [() => graph.multiplyRow(b, d), () => graph.multiplyRow(a, d)],
  multiplyColumn: (graph, { inputs: [a, column] }, d) => [
    () => graph.multiplyColumn(d, column),
    () => graph.view(graph.rowDot(d, a), column.shape),
  ],
  rowDot: (graph, { inputs: [a, b] }, d) => [
    () => graph.multiplyColumn(b, d),
    () => graph.multiplyColumn(a, d),
  ],
  multiplyScalar: (graph, { inputs: [a, scalar] }, d) => [
    () => graph.multiplyScalar(d, scalar),
    () => graph.view(graph.dot(d, a), scalar.shape),
  ],
  dot: (graph, { inputs: [a, b] }, d) => [
    () => graph.view(graph.multiplyScalar(b, d), a.shape),
    () => graph.view(graph.multiplyScalar(a, d), b.shape),
  ],
};

const classificationRules: RuleTable = {
  softmax: (graph, y, d) => [
    () => graph.subtract(graph.multiply(d, y), graph.multiplyColumn(y, graph.rowDot(d, y))),
  ],
  crossEntropy: (graph, { inputs: [logits, labels] }, d) => [
    () => {
      const target = graph.view(graph.oneHot(labels, logits.shape.at(-1)!), logits.shape);
      return graph.multiplyColumn(graph.subtract(graph.softmax(logits), target), d);
    },
    undefined,
  ],
  oneHot: constant,
};

export const differentiationRules: RuleTable = {
  matmul(graph, { inputs: [a, b], attributes }, d) {
    const { transposeA, transposeB } = attributes as PrimitiveAttributes['matmul'];
    return [
      () => (transposeA ? graph.matmul(b, d, transposeB, true) : graph.matmul(d, b, false, !transposeB)),
      () => (transposeB ? graph.matmul(d, a, true, transposeA) : graph.matmul(a, d, !transposeA, false)),
    ];
  },
  ...convolutionRules,
  ...poolRules,
  ...elementwiseRules,
  ...rowRules,
  ...classificationRules,
};
