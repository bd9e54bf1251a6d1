import type { Graph, Value } from './graph.ts';
import * as meaning from './decompositions.ts';
import type { Decomposition } from './decompositions.ts';
import type {
  ConvolutionGeometry,
  GeluVariant,
  PoolGeometry,
  Primitive,
  PrimitiveAttributes,
} from './primitives.ts';

/**
 * How the cotangent `d` of a value becomes those of its inputs, written in primitives. One entry an input, built only
 * when it is asked for; undefined where the value does not vary with an input (labels, indices, masks).
 */
export type Rule = (
  graph: Graph,
  value: Value,
  d: Value,
  pull: Pullback,
) => readonly ((() => Value) | undefined)[];

/** The cotangents of `wrt`, given the cotangent `d` of an expression in them. */
export type Pullback = (expression: Value, d: Value, wrt: readonly Value[]) => Value[];

/** A primitive that is missing here throws when it is differentiated. */
export type RuleTable = Readonly<Partial<Record<Primitive, Rule>>>;

const twoOverRootPi = 1.1283791670955126;

/** Differentiates a fused primitive through what it means in simpler ones. */
function byMeaning(decomposition: Decomposition): Rule {
  return (graph, value, d, pull) => {
    const { inputs } = value;
    const found = () => pull(decomposition(graph, value, inputs), d, inputs);
    // An input that comes twice gets its whole cotangent once.
    return inputs.map((input, i) => (inputs.indexOf(input) < i ? undefined : () => found()[i]));
  };
}

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

/** As for convolutions: each of the three is linear in both inputs. */
const depthwiseRules: RuleTable = {
  depthwise(graph, { inputs: [x, filter], attributes }, d) {
    const geometry = attributes as ConvolutionGeometry;
    return [
      () => graph.depthwiseInputGradient(d, filter, x.shape, geometry),
      () => graph.depthwiseFilterGradient(x, d, filter.shape, geometry),
    ];
  },
  depthwiseInputGradient(graph, { inputs: [outer, filter], attributes }, d) {
    const geometry = attributes as ConvolutionGeometry;
    return [
      () => graph.depthwise(d, filter, geometry),
      () => graph.depthwiseFilterGradient(d, outer, filter.shape, geometry),
    ];
  },
  depthwiseFilterGradient(graph, { inputs: [x, outer], attributes }, d) {
    const geometry = attributes as ConvolutionGeometry;
    return [
      () => graph.depthwiseInputGradient(outer, d, x.shape, geometry),
      () => graph.depthwise(x, d, geometry),
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
  shift: (_, __, d) => [() => d],
  descend: (graph, { inputs: [, b, scalar] }, d) => [
    () => d,
    () => graph.scale(graph.multiplyScalar(d, scalar), -1),
    () => graph.view(graph.scale(graph.dot(d, b), -1), scalar.shape),
  ],
  exp: (graph, y, d) => [() => graph.multiply(d, y)],
  log: (graph, { inputs: [x] }, d) => [() => graph.multiply(d, graph.reciprocal(x))],
  reciprocal: (graph, y, d) => [() => graph.scale(graph.multiply(d, graph.multiply(y, y)), -1)],
  squareRoot: (graph, y, d) => [() => graph.scale(graph.multiply(d, graph.reciprocal(y)), 0.5)],
  reciprocalRoot: (graph, y, d) => [
    () => graph.scale(graph.multiply(d, graph.multiply(y, graph.multiply(y, y))), -0.5),
  ],
  sigmoid: (graph, y, d) => [() => graph.multiply(d, graph.subtract(y, graph.multiply(y, y)))],
  softplus: (graph, { inputs: [x] }, d) => [() => graph.multiply(d, graph.sigmoid(x))],
  erf: (graph, { inputs: [x] }, d) => [
    () => graph.scale(graph.multiply(d, graph.exp(graph.scale(graph.multiply(x, x), -1))), twoOverRootPi),
  ],
  gelu: (graph, { inputs: [x], attributes }, d) => [
    () => graph.geluGradient(d, x, (attributes as GeluVariant).variant),
  ],
  geluGradient: byMeaning(meaning.geluGradient),
  tanh: (graph, y, d) => [() => graph.subtract(d, graph.multiply(d, graph.multiply(y, y)))],
  view: (graph, { inputs: [a] }, d) => [() => graph.view(d, a.shape)],
};

const placeRules: RuleTable = {
  permute(graph, { attributes }, d) {
    const { axes } = attributes as PrimitiveAttributes['permute'];
    return [
      () =>
        graph.permute(
          d,
          axes.map((_, i) => axes.indexOf(i)),
        ),
    ];
  },
  slice(graph, { inputs: [a], attributes }, d) {
    const { axis, start, end } = attributes as PrimitiveAttributes['slice'];
    return [() => graph.pad(d, axis, start, a.shape[axis] - end)];
  },
  pad(graph, { inputs: [a], attributes }, d) {
    const { axis, before } = attributes as PrimitiveAttributes['pad'];
    return [() => graph.slice(d, axis, before, before + a.shape[axis])];
  },
  concat(graph, { inputs, attributes }, d) {
    const { axis } = attributes as PrimitiveAttributes['concat'];
    let end = 0;
    return inputs.map(({ shape }) => {
      const start = end;
      end += shape[axis];
      const stop = end;
      return () => graph.slice(d, axis, start, stop);
    });
  },
  takeRows: (graph, { inputs: [table, index] }, d) => [
    () => graph.addRowsAt(d, index, table.shape[0]),
    undefined,
  ],
  addRowsAt: (graph, { inputs: [outer, index] }, d) => [
    () => graph.view(graph.takeRows(d, index), outer.shape),
    undefined,
  ],
};

const sequenceRules: RuleTable = {
  lstm(graph, states, d, pull) {
    const dh = cotangentOfHidden(d);
    if (!dh) return byMeaning(meaning.lstm)(graph, states, d, pull);
    const [gates, wh] = states.inputs;
    const [, steps, batch, hidden] = states.shape;
    const slope = () => graph.lstmGradient(graph.view(dh, [steps, batch, hidden]), wh, states);
    return [
      slope,
      () => {
        if (steps === 1) return graph.constant(wh.shape, 0);
        const rows = (steps - 1) * batch;
        const before = graph.slice(graph.slice(states, 0, 0, 1), 1, 0, steps - 1);
        const later = graph.slice(slope(), 0, 1, steps);
        return graph.matmul(
          graph.view(before, [rows, hidden]),
          graph.view(later, [rows, gates.shape[2]]),
          true,
        );
      },
    ];
  },
  lstmGradient: byMeaning(meaning.lstmGradient),
};

/** The cotangent of h alone, where the other states of an LSTM have none. */
function cotangentOfHidden(d: Value): Value | undefined {
  if (d.op !== 'pad') return undefined;
  const { axis, before } = (d as Value<'pad'>).attributes; // by its op
  const [h] = d.inputs;
  return axis === 0 && before === 0 && h.shape[0] === 1 ? h : undefined;
}

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
  repeatColumn: (graph, { inputs: [column] }, d) => [() => graph.view(graph.rowSum(d), column.shape)],
  rowSum: (graph, { inputs: [a] }, d) => [() => graph.repeatColumn(d, a.shape)],
  normaliseRows: (graph, { inputs: [x], attributes }, d) => [
    () => graph.normaliseRowsGradient(d, x, (attributes as PrimitiveAttributes['normaliseRows']).epsilon),
  ],
  normaliseRowsGradient: byMeaning(meaning.normaliseRowsGradient),
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
  ...depthwiseRules,
  ...poolRules,
  ...elementwiseRules,
  ...placeRules,
  ...sequenceRules,
  ...rowRules,
  ...classificationRules,
};
