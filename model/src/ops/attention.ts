import type { Graph, Value } from '../graph/graph.ts';
import { expectLength, formatShape, rowAxes, ShapeMismatch } from '../ir/shapes.ts';
import type { Operation } from './operation.ts';

/**
 * q [B, T, D], k [B, S, D] and v [B, S, D]: softmax(q k^T / sqrt(D / heads)) v for each of `heads` equal parts of D
 * (Vaswani et al. 2017, section 3.2). `causal`: a query sees keys up to its own place, the last query all of them.
 */
export const attention: Operation = {
  inputs: ['q', 'k', 'v'],
  optional: 0,
  bind(attributes) {
    const heads = attributes.integer('heads', 1, 2 ** 10, 1);
    const causal = attributes.boolean('causal', false);
    return {
      attributes: { heads, causal },
      infer([q, k, v]) {
        const [queries, depth] = rowAxes(q, 2, 'q');
        const [keys, keyDepth] = rowAxes(k, 2, 'k');
        const [values, valueDepth] = rowAxes(v, 2, 'v');
        expectLength(keyDepth, depth, `the last axis of k ${formatShape(k)}`);
        expectLength(valueDepth, depth, `the last axis of v ${formatShape(v)}`);
        expectLength(values, keys, `the number of steps of v ${formatShape(v)}`);
        if (depth % heads !== 0)
          throw new ShapeMismatch(`the last axis ${depth} cannot be parted into ${heads} equal heads.`);
        if (causal && queries > keys)
          throw new ShapeMismatch(
            `with "causal" the first of ${queries} queries would see none of ${keys} keys; expected as many keys or more.`,
          );
        return q;
      },
      cost([q, k]) {
        const [queries, depth] = rowAxes(q, 2, 'q');
        const [keys] = rowAxes(k, 2, 'k');
        return {
          values: 2 * heads * queries * keys + 2 * depth * (queries + keys),
          products: 2 * queries * keys * depth,
        };
      },
      lower(graph, [q, k, v]) {
        const [batch, queries, depth] = q.shape;
        const part = depth / heads;
        const scaled = graph.scale(splitHeads(graph, q, heads), 1 / Math.sqrt(part));
        const scores = graph.matmul(scaled, splitHeads(graph, k, heads), false, true);
        const mixed = graph.matmul(graph.softmax(scores, causal), splitHeads(graph, v, heads));
        if (heads === 1) return mixed;
        const parted = graph.view(mixed, [batch, heads, queries, part]);
        return graph.view(graph.permute(parted, [0, 2, 1, 3]), q.shape);
      },
    };
  },
};

/** [B, T, D] to [B heads, T, D / heads]. */
function splitHeads(graph: Graph, x: Value, heads: number): Value {
  if (heads === 1) return x;
  const [batch, steps, depth] = x.shape;
  const parted = graph.view(x, [batch, steps, heads, depth / heads]);
  return graph.view(graph.permute(parted, [0, 2, 1, 3]), [batch * heads, steps, depth / heads]);
}
