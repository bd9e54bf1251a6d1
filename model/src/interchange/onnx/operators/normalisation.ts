import type { GraphWriter } from '../graph-writer.ts';
import type { Exporter } from '../node.ts';
import { channelsFirst, type Permutation } from '../permutation.ts';
import { lastAxisLast } from '../order.ts';

/**
 * By the statistics of the rows that are run together, as the IR defines it: ONNX's BatchNormalization would want
 * statistics that were stored, so they are computed by ReduceMean.
 */
export const batchNorm: Exporter = (graph, node) => {
  const [x, gamma, beta] = node.inputs;
  const order = graph.order(x);
  const channel = order.indexOf(order.length - 1);
  const axes = order.map((_, i) => i).filter((i) => i !== channel);
  const value = graph.read(x, order);
  const centred = graph.node('Sub', [value, graph.node('ReduceMean', [value], { axes, keepdims: 1 })]);
  const square = graph.node('Mul', [centred, centred]);
  const variance = graph.node('ReduceMean', [square], { axes, keepdims: 1 });
  const deviation = graph.node('Sqrt', [graph.node('Add', [variance, graph.scalar(node.number('epsilon'))])]);
  scaleAndShift(graph, node.out, graph.node('Div', [centred, deviation]), gamma, beta, order);
};

export const layerNorm: Exporter = (graph, node) => {
  const [x, gamma, beta] = node.inputs;
  const order = lastAxisLast(graph, x);
  const name = graph.nameOf(node.out, order);
  const inputs = [graph.read(x, order), graph.read(gamma), graph.read(beta)];
  const attributes = { axis: order.length - 1, epsilon: { float: node.number('epsilon') } };
  graph.store(node.out, order, graph.node('LayerNormalization', inputs, attributes, name));
};

/** Each group of channels, over all places, is one instance of InstanceNormalization. */
export const groupNorm: Exporter = (graph, node) => {
  const [x, gamma, beta] = node.inputs;
  const groups = node.number('groups');
  const order = channelsFirst(graph.rank(x));
  const lengths = order.slice(1).map((axis) => graph.shape(x)[axis] as number); // the batch is in front alone
  const grouped = graph.node('Reshape', [graph.read(x, order), graph.integers(0, groups, -1)]);
  const ones = graph.floats(`:ones:${groups}`, [groups], () => new Float32Array(groups).fill(1));
  const zeros = graph.floats(`:zeros:${groups}`, [groups], () => new Float32Array(groups));
  const epsilon = { float: node.number('epsilon') };
  const normal = graph.node('InstanceNormalization', [grouped, ones, zeros], { epsilon });
  const ungrouped = graph.node('Reshape', [normal, graph.integers(0, ...lengths)]);
  scaleAndShift(graph, node.out, ungrouped, gamma, beta, order);
};

function scaleAndShift(
  graph: GraphWriter,
  out: string,
  normal: string,
  gamma: string,
  beta: string,
  order: Permutation,
): void {
  const rank = order.length;
  const scaled = graph.node('Mul', [normal, graph.readBroadcast(gamma, rank, order)]);
  const name = graph.nameOf(out, order);
  graph.store(out, order, graph.node('Add', [scaled, graph.readBroadcast(beta, rank, order)], {}, name));
}
