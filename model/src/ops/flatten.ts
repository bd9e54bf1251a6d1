import { formatShape, ShapeMismatch } from '../ir/shapes.ts';
import { plain } from './operation.ts';

/** [B, …] to [B, n], the last axis varying fastest. */
export const flatten = plain(['x'], 0, {
  infer([x]) {
    const [batch, ...axes] = x;
    if (batch !== 'B') throw new ShapeMismatch(`x has shape ${formatShape(x)}; expected a batch.`);
    return ['B', axes.reduce<number>((size, axis) => size * (axis as number), 1)]; // `B` stands only in front
  },
  lower: (graph, [x]) => graph.view(x, [x.shape[0], x.size / x.shape[0]]),
});
