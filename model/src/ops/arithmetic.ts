import type { Graph, Value } from '../graph/graph.ts';
import type { Shape } from '../ir/schema.ts';
import { formatShape, sameShape, ShapeMismatch } from '../ir/shapes.ts';
import { plain, type Operation } from './operation.ts';

/** a + b */
export const add = pairwise(
  (graph, a, b) => graph.add(a, b),
  (graph, a, row) => graph.addRow(a, row),
);

/** a times b, element by element. */
export const mul = pairwise(
  (graph, a, b) => graph.multiply(a, b),
  (graph, a, row) => graph.multiplyRow(a, row),
);

type Combine = (graph: Graph, a: Value, b: Value) => Value;

/** Equal shapes, or b without a batch whose shape is that of the last axes of a, and is repeated over the others. */
function pairwise(combine: Combine, combineRow: Combine): Operation {
  return plain(['a', 'b'], 0, {
    infer([a, b]) {
      if (!sameShape(a, b) && !isTail(a, b))
        throw new ShapeMismatch(
          `b ${formatShape(b)} fits neither a ${formatShape(a)} nor, without a batch, its last axes.`,
        );
      return a;
    },
    lower(graph, [a, b]) {
      if (sameShape(a.shape, b.shape)) return combine(graph, a, b);
      const rows = graph.view(a, [a.size / b.size, b.size]);
      return graph.view(combineRow(graph, rows, graph.view(b, [b.size])), a.shape);
    },
  });
}

function isTail(a: Shape, b: Shape): boolean {
  return b[0] !== 'B' && b.length < a.length && sameShape(a.slice(-b.length), b);
}
