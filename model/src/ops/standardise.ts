import { expectLength, fixedAxes, formatShape, ShapeMismatch } from '../ir/shapes.ts';
import { plain } from './operation.ts';

/** (x - mean) * inverseSd over the last axis: x [B, …, C], mean [C], inverseSd [C]. */
export const standardise = plain(['x', 'mean', 'inverseSd'], 0, {
  infer([x, mean, inverseSd]) {
    if (x[0] !== 'B' || x.length < 2)
      throw new ShapeMismatch(`x has shape ${formatShape(x)}; expected a batch with one or more axes.`);
    const channels = x.at(-1) as number; // not the batch: there are two axes or more
    expectLength(fixedAxes(mean, 1, 'mean')[0], channels, 'the length of mean');
    expectLength(fixedAxes(inverseSd, 1, 'inverseSd')[0], channels, 'the length of inverseSd');
    return x;
  },
  lower: (graph, [x, mean, inverseSd]) =>
    graph.multiplyRow(graph.addRow(x, graph.scale(mean, -1)), inverseSd),
});
