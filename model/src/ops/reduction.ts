import type { Graph, Value } from '../graph/graph.ts';
import { formatShape, ShapeMismatch, someAxes } from '../ir/shapes.ts';
import { ModelError } from '../ir/errors.ts';
import type { Operation } from './operation.ts';

type Kind = 'mean' | 'sum' | 'max';

/**
 * The mean, sum or largest value (the first of equals) over `axes` behind the batch, which is axis 0. With `keep` the
 * axes stay, of length 1.
 */
export const reduce: Operation = {
  inputs: ['x'],
  optional: 0,
  bind(attributes) {
    const kind = attributes.oneOf('kind', ['mean', 'sum', 'max']);
    const axes = [...attributes.axes('axes', 1, 15)].sort((a, b) => a - b);
    if (axes.length === 0 || new Set(axes).size < axes.length)
      throw new ModelError('model-malformed', attributes.at('axes'), 'expected one or more axes, each once.');
    const keep = attributes.boolean('keep', false);
    const outputAxes = <Axis>(shape: readonly Axis[], one: Axis): Axis[] =>
      keep
        ? shape.map((length, axis) => (axes.includes(axis) ? one : length))
        : shape.filter((_, axis) => !axes.includes(axis));
    return {
      attributes: { kind, axes, keep },
      infer([x]) {
        const most = someAxes(x, 1, 'x').length;
        if (axes.at(-1)! > most)
          throw new ShapeMismatch(`x ${formatShape(x)} has no axis ${axes.at(-1)!}; the batch is axis 0.`);
        return outputAxes(x, 1);
      },
      lower: (graph, [x]) => graph.view(reduceAxes(graph, x, axes, kind), outputAxes(x.shape, 1)),
    };
  },
};

/** Reduces axes that lie together in place; brings others together at the end first. */
function reduceAxes(graph: Graph, x: Value, axes: readonly number[], kind: Kind): Value {
  const together = axes.every((axis, i) => axis === axes[0] + i);
  if (together) {
    const [first, last] = [axes[0], axes.at(-1)!];
    return reduceMiddle(graph, x, size(x.shape.slice(0, first)), size(x.shape.slice(first, last + 1)), kind);
  }
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const outer = size(kept.map((axis) => x.shape[axis]));
  return reduceMiddle(graph, graph.permute(x, [...kept, ...axes]), outer, x.size / outer, kind);
}

/** x, seen as [outer, middle, rest], over its middle axis. */
function reduceMiddle(graph: Graph, x: Value, outer: number, middle: number, kind: Kind): Value {
  const rest = x.size / (outer * middle);
  if (kind !== 'max' && rest === 1) {
    const sum = graph.rowSum(graph.view(x, [outer, middle]));
    return kind === 'sum' ? sum : graph.scale(sum, 1 / middle);
  }
  const image = graph.view(x, [outer, 1, middle, rest]);
  const window = { height: 1, width: middle, strideHeight: 1, strideWidth: middle };
  if (kind === 'max') return graph.gather(image, graph.maxPoolIndex(image, window));
  const mean = graph.averagePool(image, window);
  return kind === 'mean' ? mean : graph.scale(mean, middle);
}

function size(axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * axis, 1);
}
