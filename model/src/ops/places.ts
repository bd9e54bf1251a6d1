import type { Shape } from '../ir/schema.ts';
import { formatShape, sameShape, ShapeMismatch, someAxes } from '../ir/shapes.ts';
import { plain, type Operation } from './operation.ts';

/** No value has more axes, whatever the limits of a device are. */
const maxAxis = 15;
const maxLength = 2 ** 24;

/** [B, …] to [B, n], the last axis varying fastest. */
export const flatten = plain(['x'], 0, {
  infer: ([x]) => ['B', product(someAxes(x, 0, 'x'))],
  lower: (graph, [x]) => graph.view(x, [x.shape[0], x.size / x.shape[0]]),
});

/** The same values, in the same order, behind the batch in the axes of `shape`; [] gives [B]. */
export const reshape: Operation = {
  inputs: ['x'],
  optional: 0,
  bind(attributes) {
    const shape = attributes.axes('shape', 1, maxLength);
    return {
      attributes: { shape },
      infer([x]) {
        const size = product(someAxes(x, 0, 'x'));
        if (product(shape) !== size)
          throw new ShapeMismatch(
            `x ${formatShape(x)} has ${size} values an example, "shape" ${formatShape(shape)} ${product(shape)}; expected as many.`,
          );
        return ['B', ...shape];
      },
      lower: (graph, [x]) => graph.view(x, [x.shape[0], ...shape]),
    };
  },
};

/** Axis i of the result is axis `axes[i - 1]` of x; axes are counted with the batch as 0, which stays. */
export const transpose: Operation = {
  inputs: ['x'],
  optional: 0,
  bind(attributes) {
    const axes = attributes.axes('axes', 1, maxAxis);
    return {
      attributes: { axes },
      infer([x]) {
        const lengths = someAxes(x, 1, 'x');
        const order = [...axes].sort((a, b) => a - b);
        if (order.length !== lengths.length || order.some((axis, i) => axis !== i + 1))
          throw new ShapeMismatch(
            `"axes" is ${formatShape(axes)}; expected each of the axes 1 to ${lengths.length} of x ${formatShape(x)} once.`,
          );
        return ['B', ...axes.map((axis) => x[axis])];
      },
      lower: (graph, [x]) => graph.permute(x, [0, ...axes]),
    };
  },
};

/** Entries `start` to `end` (excluded) of one axis behind the batch. */
export const slice: Operation = {
  inputs: ['x'],
  optional: 0,
  bind(attributes) {
    const axis = attributes.integer('axis', 1, maxAxis);
    const start = attributes.integer('start', 0, maxLength);
    const end = attributes.integer('end', start + 1, maxLength);
    return {
      attributes: { axis, start, end },
      infer([x]) {
        const length = lengthOf(x, axis);
        if (end > length)
          throw new ShapeMismatch(
            `axis ${axis} of x ${formatShape(x)} has ${length} entries; "end" is ${end}.`,
          );
        return replace(x, axis, end - start);
      },
      lower: (graph, [x]) => graph.slice(x, axis, start, end),
    };
  },
};

/** Two to eight values, one behind the other along an axis behind the batch; equal in all other axes. */
export const concat: Operation = {
  inputs: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
  optional: 6,
  bind(attributes) {
    const axis = attributes.integer('axis', 1, maxAxis);
    return {
      attributes: { axis },
      infer(inputs) {
        const [first, ...others] = inputs;
        const length = inputs.reduce((sum, shape) => sum + lengthOf(shape, axis), 0);
        const odd = others.find((shape) => !sameShape(replace(shape, axis, 1), replace(first, axis, 1)));
        if (odd)
          throw new ShapeMismatch(
            `${formatShape(first)} and ${formatShape(odd)} differ in another axis than ${axis}.`,
          );
        return replace(first, axis, length);
      },
      lower: (graph, inputs) => graph.concat(inputs, axis),
    };
  },
};

function lengthOf(shape: Shape, axis: number): number {
  const axes = someAxes(shape, 0, 'an input');
  if (axis > axes.length)
    throw new ShapeMismatch(`${formatShape(shape)} has no axis ${axis}; the batch is axis 0.`);
  return axes[axis - 1];
}

function replace(shape: Shape, axis: number, length: number): Shape {
  return shape.map((old, i) => (i === axis ? length : old));
}

function product(axes: readonly number[]): number {
  return axes.reduce((size, axis) => size * axis, 1);
}
