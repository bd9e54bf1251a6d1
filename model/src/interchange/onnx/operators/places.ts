import type { Exporter } from '../node.ts';
import { identity } from '../permutation.ts';
import { without } from '../order.ts';

export const flatten: Exporter = (graph, { inputs: [x], out }) => {
  graph.store(out, identity(2), graph.node('Flatten', [graph.read(x)], { axis: 1 }, out));
};

export const reshape: Exporter = (graph, node) => {
  const shape = graph.integers(0, ...node.numbers('shape')); // 0 keeps the batch
  const [x] = node.inputs;
  const name = graph.node('Reshape', [graph.read(x), shape], {}, node.out);
  graph.store(node.out, identity(graph.rank(node.out)), name);
};

/** Moves nothing: it only changes the order in which the stored axes are read. */
export const transpose: Exporter = (graph, node) => {
  const [x] = node.inputs;
  const axes = [0, ...node.numbers('axes')];
  const order = graph.order(x);
  graph.store(
    node.out,
    order.map((axis) => axes.indexOf(axis)),
    graph.read(x, order),
  );
};

/** Training alone drops values. */
export const dropout: Exporter = (graph, { inputs: [x], out }) => {
  const order = graph.order(x);
  graph.store(out, order, graph.read(x, order));
};

export const concat: Exporter = (graph, node) => {
  const order = graph.order(node.inputs[0]);
  const parts = node.inputs.map((id) => graph.read(id, order));
  const name = graph.nameOf(node.out, order);
  const axis = order.indexOf(node.number('axis'));
  graph.store(node.out, order, graph.node('Concat', parts, { axis }, name));
};

export const slice: Exporter = (graph, node) => {
  const [x] = node.inputs;
  const order = graph.order(x);
  const bounds = [node.number('start'), node.number('end'), order.indexOf(node.number('axis'))];
  const inputs = [graph.read(x, order), ...bounds.map((bound) => graph.integers(bound))];
  graph.store(node.out, order, graph.node('Slice', inputs, {}, graph.nameOf(node.out, order)));
};

export const reduce: Exporter = (graph, node) => {
  const [x] = node.inputs;
  const kind = node.oneOf('kind', ['mean', 'sum', 'max']);
  const gone = node.numbers('axes');
  const keep = node.flag('keep');
  const order = graph.order(x);
  const axes = gone.map((axis) => order.indexOf(axis)).sort((a, b) => a - b);
  const left = keep ? order : without(order, gone);
  const name = graph.nameOf(node.out, left);
  const value = graph.read(x, order);
  const keepdims = keep ? 1 : 0;
  // In opset 17 the axes of a sum are an input already, those of the others still an attribute.
  if (kind === 'sum') graph.node('ReduceSum', [value, graph.integers(...axes)], { keepdims }, name);
  else graph.node(kind === 'mean' ? 'ReduceMean' : 'ReduceMax', [value], { axes, keepdims }, name);
  graph.store(node.out, left, name);
};
