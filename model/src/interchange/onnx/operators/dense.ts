import type { Exporter } from '../node.ts';
import { lastAxisLast } from '../order.ts';

/** Gemm where there is one axis behind the batch, else MatMul and Add. */
export const dense: Exporter = (graph, { inputs, out }) => {
  const [x, w] = inputs;
  const b = inputs.at(2);
  const rank = graph.rank(x);
  const order = lastAxisLast(graph, x);
  const name = graph.nameOf(out, order);
  const factors = [graph.read(x, order), graph.read(w)];
  if (b === undefined) graph.node('MatMul', factors, {}, name);
  else if (rank === 2) graph.node('Gemm', [...factors, graph.read(b)], {}, name);
  else graph.node('Add', [graph.node('MatMul', factors), graph.read(b)], {}, name);
  graph.store(out, order, name);
};

/** Rows of the table. */
export const embedding: Exporter = (graph, { inputs: [ids, table], out }) => {
  graph.node('Gather', [graph.read(table), graph.read(ids)], { axis: 0 }, out);
  graph.store(out, graph.order(out), out);
};
