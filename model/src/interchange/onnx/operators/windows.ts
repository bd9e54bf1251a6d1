import type { GraphWriter } from '../graph-writer.ts';
import type { ExportedNode, Exporter } from '../node.ts';
import { channelsFirst, permuteValues } from '../permutation.ts';
import { without } from '../order.ts';

/** Filters [K, C, F] become [F, C, K]. */
export const conv1d: Exporter = (graph, node) => {
  const weights = graph.read(node.inputs[1], [2, 1, 0]);
  convolution(graph, node, weights, [node.number('stride')], node.numbers('pads'), 1);
};

/** Filters [KH, KW, C, F] become [F, C, KH, KW]. */
export const conv2d: Exporter = (graph, node) => {
  const weights = graph.read(node.inputs[1], [3, 2, 0, 1]);
  convolution(graph, node, weights, node.numbers('strides'), planePads(node), 1);
};

/** Filters [KH, KW, C] become [C, 1, KH, KW], one group a channel. */
export const depthwiseConv2d: Exporter = (graph, node) => {
  const { id, shape, values } = node.weights(graph, 1);
  const [height, width, channels] = shape;
  const weights = graph.floats(`${id}:depthwise`, [channels, 1, height, width], () =>
    permuteValues(values, shape, [2, 0, 1]),
  );
  convolution(graph, node, weights, node.numbers('strides'), planePads(node), channels);
};

/** Top, bottom, left, right to ONNX's beginnings, then ends. */
function planePads(node: ExportedNode): number[] {
  const [top, bottom, left, right] = node.numbers('pads');
  return [top, left, bottom, right];
}

function convolution(
  graph: GraphWriter,
  { inputs, out }: ExportedNode,
  weights: string,
  strides: readonly number[],
  pads: readonly number[],
  group: number,
): void {
  const order = channelsFirst(graph.rank(inputs[0]));
  const operands = [graph.read(inputs[0], order), weights, ...inputs.slice(2).map((b) => graph.read(b))];
  const name = graph.nameOf(out, order);
  graph.store(out, order, graph.node('Conv', operands, { group, pads, strides }, name));
}

export const maxPool1d = pool('MaxPool', (node) => [[node.number('size')], [node.number('stride')]]);
export const avgPool1d = pool('AveragePool', (node) => [[node.number('size')], [node.number('stride')]]);
export const maxPool2d = pool('MaxPool', (node) => [node.numbers('size'), node.numbers('strides')]);
export const avgPool2d = pool('AveragePool', (node) => [node.numbers('size'), node.numbers('strides')]);

/** A remainder at the end is left out, as ONNX does unless it is told otherwise. */
function pool(
  type: string,
  geometry: (node: ExportedNode) => readonly [size: readonly number[], strides: readonly number[]],
): Exporter {
  return (graph, node) => {
    const [x] = node.inputs;
    const [kernel_shape, strides] = geometry(node);
    const order = channelsFirst(graph.rank(x));
    const name = graph.nameOf(node.out, order);
    graph.store(node.out, order, graph.node(type, [graph.read(x, order)], { kernel_shape, strides }, name));
  };
}

export const globalAvgPool1d = overPlaces('ReduceMean');
export const globalAvgPool2d = overPlaces('ReduceMean');
export const globalMaxPool1d = overPlaces('ReduceMax');
export const globalMaxPool2d = overPlaces('ReduceMax');

/** All axes between the batch and the channels, taken away. */
function overPlaces(type: 'ReduceMean' | 'ReduceMax'): Exporter {
  return (graph, { inputs: [x], out }) => {
    const order = graph.order(x);
    const gone = order.filter((axis) => axis !== 0 && axis !== order.length - 1);
    const axes = gone.map((axis) => order.indexOf(axis)).sort((a, b) => a - b);
    const left = without(order, gone);
    const name = graph.nameOf(out, left);
    graph.store(out, left, graph.node(type, [graph.read(x, order)], { axes, keepdims: 0 }, name));
  };
}
