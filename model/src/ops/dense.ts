import type { Shape } from '../ir/schema.ts';
import { expectLength, fixedAxes, ShapeMismatch, formatShape } from '../ir/shapes.ts';
import { lastAxis, rowCount } from '../graph/graph.ts';
import { plain } from './operation.ts';

/** x [B, …, in] times w [in, out], plus b [out]: over the last axis, whatever stands before it. */
export const dense = plain(['x', 'w', 'b'], 1, {
  infer(inputs: readonly Shape[]) {
    const [x, w] = inputs;
    const b = inputs.at(2);
    if (x[0] !== 'B' || x.length < 2)
      throw new ShapeMismatch(`x has shape ${formatShape(x)}; expected a batch with one or more axes.`);
    const [length, outputs] = fixedAxes(w, 2, 'w');
    const features = x.at(-1) as number; // not the batch: there are two axes or more
    expectLength(length, features, `the first axis of w ${formatShape(w)}`);
    if (b) expectLength(fixedAxes(b, 1, 'b')[0], outputs, `the length of b ${formatShape(b)}`);
    return [...x.slice(0, -1), outputs];
  },
  cost([, w], output) {
    const axes = output.slice(1) as number[]; // the batch stands only in front
    return { products: axes.reduce((product, axis) => product * axis, w[0] as number) }; // a parameter: checked by infer
  },
  lower(graph, inputs) {
    const [x, w] = inputs;
    const b = inputs.at(2);
    const rows = graph.matmul(graph.view(x, [rowCount(x), lastAxis(x)]), w);
    const shape = [...x.shape.slice(0, -1), lastAxis(w)];
    return graph.view(b ? graph.addRow(rows, b) : rows, shape);
  },
});
