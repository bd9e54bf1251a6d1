import type { Graph, Value } from '../graph/graph.ts';
import { windowCount, type PoolGeometry } from '../graph/primitives.ts';
import type { Shape } from '../ir/schema.ts';
import { formatShape, rowAxes, ShapeMismatch } from '../ir/shapes.ts';
import { maxExtent, plain, type Cost, type Operation } from './operation.ts';

/** What becomes of the windows of an image [B, H, W, C]. */
type Pool = (graph: Graph, image: Value, geometry: PoolGeometry) => Value;

const largest: Pool = (graph, x, geometry) => graph.gather(x, graph.maxPoolIndex(x, geometry));
const mean: Pool = (graph, x, geometry) => graph.averagePool(x, geometry);

/** The largest value of each window of time and channel; the first one where several are equal. */
export const maxPool1d = pool1d(largest);

/** The mean of each window of time and channel. */
export const avgPool1d = pool1d(mean);

/** The largest value of each window of place and channel; the first one, row by row, where several are equal. */
export const maxPool2d = pool2d(largest);

/** The mean of each window of place and channel. */
export const avgPool2d = pool2d(mean);

/** x [B, T, C] to its mean over time [B, C]. */
export const globalAvgPool1d = globalPool(2, mean);

/** x [B, H, W, C] to its mean over all places [B, C]. */
export const globalAvgPool2d = globalPool(3, mean);

/** x [B, T, C] to its largest value over time [B, C]. */
export const globalMaxPool1d = globalPool(2, largest);

/** x [B, H, W, C] to its largest value over all places [B, C]. */
export const globalMaxPool2d = globalPool(3, largest);

/** x [B, T, C]: windows of `size`, `stride` apart. A remainder at the end is left out; with `floor: false` refused. */
function pool1d(pool: Pool): Operation {
  return {
    inputs: ['x'],
    optional: 0,
    bind(attributes) {
      const size = attributes.integer('size', 1, maxExtent);
      const stride = attributes.integer('stride', 1, maxExtent, size);
      const floor = attributes.boolean('floor', true);
      return {
        attributes: { size, stride, floor },
        infer([x]) {
          const [time, channels] = rowAxes(x, 2, 'x');
          return ['B', windows(x, time, size, stride, floor), channels];
        },
        cost: (_, output) => costOf(output, size),
        lower(graph, [x]) {
          const [batch, time, channels] = x.shape;
          const image = graph.view(x, [batch, 1, time, channels]);
          const pooled = pool(graph, image, geometry([1, size], [1, stride]));
          return graph.view(pooled, [batch, pooled.shape[2], channels]);
        },
      };
    },
  };
}

/** x [B, H, W, C]: windows of `size`, `strides` apart, down and across. Remainders as for one axis. */
function pool2d(pool: Pool): Operation {
  return {
    inputs: ['x'],
    optional: 0,
    bind(attributes) {
      const size = attributes.integers('size', 2, 1, maxExtent);
      const strides = attributes.integers('strides', 2, 1, maxExtent, size);
      const floor = attributes.boolean('floor', true);
      return {
        attributes: { size, strides, floor },
        infer([x]) {
          const [height, width, channels] = rowAxes(x, 3, 'x');
          const down = windows(x, height, size[0], strides[0], floor);
          return ['B', down, windows(x, width, size[1], strides[1], floor), channels];
        },
        cost: (_, output) => costOf(output, size[0] * size[1]),
        lower: (graph, [x]) => pool(graph, x, geometry(size, strides)),
      };
    },
  };
}

/** One window over everything between the batch and the channels. */
function globalPool(axes: number, pool: Pool): Operation {
  return plain(['x'], 0, {
    infer: ([x]) => ['B', rowAxes(x, axes, 'x')[axes - 1]],
    lower(graph, [x]) {
      const [batch, channels] = [x.shape[0], x.shape[axes]];
      const places = x.size / (batch * channels);
      const image = graph.view(x, [batch, 1, places, channels]);
      return graph.view(pool(graph, image, geometry([1, places], [1, places])), [batch, channels]);
    },
  });
}

function costOf(output: Shape, window: number): Cost {
  const axes = output.slice(1) as number[]; // the batch stands only in front
  return { products: axes.reduce((product, axis) => product * axis, window) };
}

function windows(x: Shape, length: number, size: number, stride: number, floor: boolean): number {
  if (length < size) throw new ShapeMismatch(`x ${formatShape(x)} is shorter than the window of ${size}.`);
  if (!floor && (length - size) % stride !== 0)
    throw new ShapeMismatch(
      `x ${formatShape(x)} leaves a remainder behind windows of ${size}, ${stride} apart, and "floor" is false.`,
    );
  return windowCount(length, size, stride);
}

function geometry(size: readonly number[], strides: readonly number[]): PoolGeometry {
  return { height: size[0], width: size[1], strideHeight: strides[0], strideWidth: strides[1] };
}
