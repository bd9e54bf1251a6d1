import type { GraphWriter } from '../graph-writer.ts';
import type { Exporter } from '../node.ts';

/** One ONNX op of the same meaning, whatever the order of the axes. */
function same(type: string): Exporter {
  return (graph, { inputs: [x], out }) => {
    const order = graph.order(x);
    const name = graph.nameOf(out, order);
    graph.store(out, order, graph.node(type, [graph.read(x, order)], {}, name));
  };
}

export const relu = same('Relu');
export const tanh = same('Tanh');
export const sigmoid = same('Sigmoid');

/** Opset 17 has no Gelu: `erf` is x/2 (1 + erf(x / sqrt 2)), `tanh` x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
export const gelu: Exporter = (graph, node) => {
  const [x] = node.inputs;
  const order = graph.order(x);
  const value = graph.read(x, order);
  const bend =
    node.oneOf('variant', ['erf', 'tanh']) === 'erf'
      ? graph.node('Erf', [graph.node('Mul', [value, graph.scalar(Math.SQRT1_2)])])
      : graph.node('Tanh', [tanhArgument(graph, value)]);
  const weight = graph.node('Add', [bend, graph.scalar(1)]);
  const half = graph.node('Mul', [value, graph.scalar(0.5)]);
  const name = graph.nameOf(node.out, order);
  graph.store(node.out, order, graph.node('Mul', [half, weight], {}, name));
};

function tanhArgument(graph: GraphWriter, x: string): string {
  const cube = graph.node('Mul', [graph.node('Mul', [x, x]), x]);
  const sum = graph.node('Add', [x, graph.node('Mul', [cube, graph.scalar(0.044715)])]);
  return graph.node('Mul', [sum, graph.scalar(Math.sqrt(2 / Math.PI))]);
}

export const softmax: Exporter = (graph, { inputs: [x], out }) => {
  const order = graph.order(x);
  const name = graph.nameOf(out, order);
  const axis = order.indexOf(order.length - 1);
  graph.store(out, order, graph.node('Softmax', [graph.read(x, order)], { axis }, name));
};

export const add = combine('Add');
export const mul = combine('Mul');

/** Of equal shapes, or with a second operand that is repeated along the last axes of the first. */
function combine(type: string): Exporter {
  return (graph, { inputs: [a, b], out }) => {
    const order = graph.order(a);
    const second =
      graph.rank(b) === order.length ? graph.read(b, order) : graph.readBroadcast(b, order.length, order);
    const name = graph.nameOf(out, order);
    graph.store(out, order, graph.node(type, [graph.read(a, order), second], {}, name));
  };
}

/** (x - mean) * inverseSd over the last axis. */
export const standardise: Exporter = (graph, { inputs: [x, mean, inverseSd], out }) => {
  const order = graph.order(x);
  const rank = order.length;
  const centred = graph.node('Sub', [graph.read(x, order), graph.readBroadcast(mean, rank, order)]);
  const name = graph.nameOf(out, order);
  const scale = graph.readBroadcast(inverseSd, rank, order);
  graph.store(out, order, graph.node('Mul', [centred, scale], {}, name));
};
