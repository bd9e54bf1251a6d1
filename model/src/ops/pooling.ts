import type { Graph, Value } from '../graph/graph.ts';
import { windowCount, type PoolGeometry } from '../graph/primitives.ts';
import { formatShape, rowAxes, ShapeMismatch } from '../ir/shapes.ts';
import { plain, type Operation } from './operation.ts';

const maxExtent = 2 ** 16;

/** The largest value of each window of time and channel; the first one where several are equal. */
export const maxPool1d = pool1d((graph, x, geometry) => graph.gather(x, graph.maxPoolIndex(x, geometry)));

/** The mean of each window of time and channel. */
export const avgPool1d = pool1d((graph, x, geometry) => graph.averagePool(x, geometry));

/** x [B, T, C] to its mean over time [B, C]. */
export const globalAvgPool1d = plain(['x'], 0, {
  infer: ([x]) => ['B', rowAxes(x, 2, 'x')[1]],
  lower(graph, [x]) {
    const [batch, time, channels] = x.shape;
    const pooled = graph.averagePool(asImage(graph, x), windows(time, time));
    return graph.view(pooled, [batch, channels]);
  },
});

/** x [B, T, C]: windows of `size`, `stride` apart. A remainder at the end is left out; with `floor: false` refused. */
function pool1d(lowerImage: (graph: Graph, image: Value, geometry: PoolGeometry) => Value): Operation {
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
          if (time < size)
            throw new ShapeMismatch(`x ${formatShape(x)} is shorter than the window of ${size}.`);
          if (!floor && (time - size) % stride !== 0)
            throw new ShapeMismatch(
              `x ${formatShape(x)} leaves a remainder behind windows of ${size}, ${stride} apart, and "floor" is false.`,
            );
          return ['B', windowCount(time, size, stride), channels];
        },
        lower(graph, [x]) {
          const pooled = lowerImage(graph, asImage(graph, x), windows(size, stride));
          return graph.view(pooled, [x.shape[0], pooled.shape[2], pooled.shape[3]]);
        },
      };
    },
  };
}

function asImage(graph: Graph, x: Value): Value {
  const [batch, time, channels] = x.shape;
  return graph.view(x, [batch, 1, time, channels]);
}

function windows(width: number, strideWidth: number): PoolGeometry {
  return { height: 1, width, strideHeight: 1, strideWidth };
}
