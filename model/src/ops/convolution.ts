import { windowCount } from '../graph/primitives.ts';
import { expectLength, fixedAxes, formatShape, rowAxes, ShapeMismatch } from '../ir/shapes.ts';
import type { Operation } from './operation.ts';

/** No window, stride or padding needs to be longer. */
const maxExtent = 2 ** 16;

/** x [B, T, C] with w [K, C, F] and b [F]: cross-correlation over time, zeros outside, as torch computes it. */
export const conv1d: Operation = {
  inputs: ['x', 'w', 'b'],
  optional: 1,
  bind(attributes) {
    const stride = attributes.integer('stride', 1, maxExtent, 1);
    const pads = attributes.integers('pads', 2, 0, maxExtent, [0, 0]);
    const [before, after] = pads;
    return {
      attributes: { stride, pads },
      infer(inputs) {
        const [x, w] = inputs;
        const b = inputs.at(2);
        const [time, channels] = rowAxes(x, 2, 'x');
        const [size, filterChannels, features] = fixedAxes(w, 3, 'w');
        expectLength(filterChannels, channels, `the second axis of w ${formatShape(w)}`);
        if (b) expectLength(fixedAxes(b, 1, 'b')[0], features, `the length of b ${formatShape(b)}`);
        if (time + before + after < size)
          throw new ShapeMismatch(`w ${formatShape(w)} is longer than the padded x ${formatShape(x)}.`);
        return ['B', windowCount(time + before + after, size, stride), features];
      },
      lower(graph, inputs) {
        const [x, w] = inputs;
        const b = inputs.at(2);
        const [batch, time, channels] = x.shape;
        const image = graph.view(x, [batch, 1, time, channels]);
        const filter = graph.view(w, [1, ...w.shape]);
        const y = graph.convolution(image, filter, {
          strideHeight: 1,
          strideWidth: stride,
          padTop: 0,
          padBottom: 0,
          padLeft: before,
          padRight: after,
        });
        return graph.view(b ? graph.addRow(y, b) : y, [batch, y.shape[2], y.shape[3]]);
      },
    };
  },
};
