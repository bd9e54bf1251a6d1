import type { Model } from './model.ts';
import type { NodeIr } from './schema.ts';

/**
 * Floating-point operations of products in training on one example: two for each multiply and add, forward once and backward
 * twice, but no gradient of the features. What is no product (activations, normalisation, pooling) is not counted. Forward alone
 * is a third of it, or a little more.
 */
export function flopsOfExample(model: Model): number {
  const features = model.ir.inputs.find(({ role }) => role === 'features')?.id;
  return model.ir.nodes.reduce((sum, node) => {
    const needsGradient = node.in[0] !== features;
    return sum + (needsGradient ? 6 : 4) * multiplications(model, node);
  }, 0);
}

/** Multiplications that one example takes in a node's products. */
function multiplications(model: Model, { op, in: inputs, out }: NodeIr): number {
  const axes = (id: string) =>
    (model.nodeShapes.get(id) ?? []).filter((axis): axis is number => typeof axis === 'number');
  const outputs = size(axes(out));
  const [x, w, wh] = inputs.map(axes);
  switch (op) {
    case 'dense':
      return outputs * w[0];
    case 'conv1d':
    case 'conv2d':
      return outputs * size(w.slice(0, -1));
    case 'lstm':
      return x[0] * (size(w) + size(wh));
    case 'attention':
      return 2 * outputs * w[0]; // of keys: as many as a row has columns
    default:
      return 0;
  }
}

function size(axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * axis, 1);
}
