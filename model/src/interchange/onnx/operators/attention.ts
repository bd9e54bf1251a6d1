import type { GraphWriter } from '../graph-writer.ts';
import type { Exporter } from '../node.ts';

/** Added to the scores of steps that must not be seen: the lowest float, since softmax of infinities alone is no number. */
const masked = -3.4028234663852886e38;

/** softmax(q k^T / sqrt(D / heads)) v of each head: heads are split off the last axis, and joined again. */
export const attention: Exporter = (graph, node) => {
  const [q, k, v] = node.inputs;
  const heads = node.number('heads');
  const [, steps, width] = graph.shape(q) as [string, number, number]; // [B, T, D]
  const [, seen] = graph.shape(k) as [string, number, number]; // [B, S, D]
  const perHead = width / heads;
  const split = (id: string, perm: readonly number[]) =>
    graph.node('Transpose', [graph.node('Reshape', [graph.read(id), graph.integers(0, 0, heads, perHead)])], {
      perm,
    });
  const products = graph.node('MatMul', [split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1])]);
  const scores = graph.node('Mul', [products, graph.scalar(1 / Math.sqrt(perHead))]);
  const visible = node.flag('causal') ? graph.node('Add', [scores, causalMask(graph, steps, seen)]) : scores;
  const weights = graph.node('Softmax', [visible], { axis: 3 });
  const mixed = graph.node('MatMul', [weights, split(v, [0, 2, 1, 3])]);
  const joined = graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  graph.node('Reshape', [joined, graph.integers(0, 0, width)], {}, node.out);
  graph.store(node.out, [0, 1, 2], node.out);
};

/** Step t of T sees steps up to t + S - T of S. */
function causalMask(graph: GraphWriter, steps: number, seen: number): string {
  return graph.floats(`:causal:${steps}:${seen}`, [steps, seen], () =>
    Float32Array.from({ length: steps * seen }, (_, i) =>
      i % seen <= Math.floor(i / seen) + seen - steps ? 0 : masked,
    ),
  );
}
