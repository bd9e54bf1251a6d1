import type { ConvolutionGeometry } from '../graph/primitives.ts';
import { windowCount } from '../graph/primitives.ts';
import type { Fields } from '../ir/fields.ts';
import type { Shape } from '../ir/schema.ts';
import { expectLength, fixedAxes, formatShape, rowAxes, ShapeMismatch } from '../ir/shapes.ts';
import { maxExtent, type Cost, type Operation } from './operation.ts';

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
        const [time, channels] = rowAxes(x, 2, 'x');
        const [size, filterChannels, features] = fixedAxes(w, 3, 'w');
        expectLength(filterChannels, channels, `the second axis of w ${formatShape(w)}`);
        checkBias(inputs.at(2), features);
        return ['B', windows(time + before + after, size, stride, x, w), features];
      },
      cost: ([x, w], output) => costOf([1, x[1]], w.slice(0, -1), [0, 0, before, after], output),
      lower(graph, inputs) {
        const [x, w] = inputs;
        const b = inputs.at(2);
        const [batch, time, channels] = x.shape;
        const image = graph.view(x, [batch, 1, time, channels]);
        const filter = graph.view(w, [1, ...w.shape]);
        const y = graph.convolution(image, filter, geometry([1, stride], [0, 0, before, after]));
        return graph.view(b ? graph.addRow(y, b) : y, [batch, y.shape[2], y.shape[3]]);
      },
    };
  },
};

/** x [B, H, W, C] with w [KH, KW, C, F] and b [F]: cross-correlation, zeros outside. */
export const conv2d: Operation = {
  inputs: ['x', 'w', 'b'],
  optional: 1,
  bind(attributes) {
    const { strides, pads } = bindPlane(attributes);
    return {
      attributes: { strides, pads },
      infer(inputs) {
        const [x, w] = inputs;
        const [, , channels] = rowAxes(x, 3, 'x');
        const [, , filterChannels, features] = fixedAxes(w, 4, 'w');
        expectLength(filterChannels, channels, `the third axis of w ${formatShape(w)}`);
        checkBias(inputs.at(2), features);
        return ['B', ...planeWindows(x, w, strides, pads), features];
      },
      cost: ([x, w], output) => costOf(x.slice(1, 3), w.slice(0, -1), pads, output),
      lower(graph, inputs) {
        const [x, w] = inputs;
        const b = inputs.at(2);
        const y = graph.convolution(x, w, geometry(strides, pads));
        return b ? graph.addRow(y, b) : y;
      },
    };
  },
};

/** x [B, H, W, C] with w [KH, KW, C] and b [C]: each channel by a filter of its own. */
export const depthwiseConv2d: Operation = {
  inputs: ['x', 'w', 'b'],
  optional: 1,
  bind(attributes) {
    const { strides, pads } = bindPlane(attributes);
    return {
      attributes: { strides, pads },
      infer(inputs) {
        const [x, w] = inputs;
        const [, , channels] = rowAxes(x, 3, 'x');
        const [, , filterChannels] = fixedAxes(w, 3, 'w');
        expectLength(filterChannels, channels, `the third axis of w ${formatShape(w)}`);
        checkBias(inputs.at(2), channels);
        return ['B', ...planeWindows(x, w, strides, pads), channels];
      },
      cost: ([x, w], output) => costOf(x.slice(1, 3), w.slice(0, 2), pads, output),
      lower(graph, inputs) {
        const [x, w] = inputs;
        const b = inputs.at(2);
        const y = graph.depthwise(x, w, geometry(strides, pads));
        return b ? graph.addRow(y, b) : y;
      },
    };
  },
};

/** Strides down and across; zeros above, below, left and right. */
function bindPlane(attributes: Fields): { strides: readonly number[]; pads: readonly number[] } {
  return {
    strides: attributes.integers('strides', 2, 1, maxExtent, [1, 1]),
    pads: attributes.integers('pads', 4, 0, maxExtent, [0, 0, 0, 0]),
  };
}

function geometry(strides: readonly number[], pads: readonly number[]): ConvolutionGeometry {
  const [strideHeight, strideWidth] = strides;
  const [padTop, padBottom, padLeft, padRight] = pads;
  return { strideHeight, strideWidth, padTop, padBottom, padLeft, padRight };
}

/**
 * `terms`: axes of the filter that are summed over for one output. Kernels keep an image with its zeros, of as many channels
 * as come in or, for the gradient, go out.
 */
function costOf(image: Shape, terms: Shape, pads: readonly number[], output: Shape): Cost {
  const size = (shape: Shape) => (shape as readonly number[]).reduce((product, axis) => product * axis, 1); // no batch in these
  const [height, width] = image as readonly number[];
  const channels = Math.max(terms.length > 2 ? Number(terms.at(-1)) : 1, Number(output.at(-1)));
  const padded = (height + pads[0] + pads[1]) * (width + pads[2] + pads[3]);
  return { values: padded * channels, products: size(output.slice(1)) * size(terms) };
}

function checkBias(b: Shape | undefined, features: number): void {
  if (b) expectLength(fixedAxes(b, 1, 'b')[0], features, `the length of b ${formatShape(b)}`);
}

function planeWindows(
  x: Shape,
  w: Shape,
  strides: readonly number[],
  pads: readonly number[],
): [number, number] {
  const [height, width] = rowAxes(x, 3, 'x');
  const [filterHeight, filterWidth] = w as readonly number[]; // a parameter: checked before
  return [
    windows(height + pads[0] + pads[1], filterHeight, strides[0], x, w),
    windows(width + pads[2] + pads[3], filterWidth, strides[1], x, w),
  ];
}

function windows(padded: number, size: number, stride: number, x: Shape, w: Shape): number {
  if (padded < size)
    throw new ShapeMismatch(`w ${formatShape(w)} is longer than the padded x ${formatShape(x)}.`);
  return windowCount(padded, size, stride);
}
