import type { Tensor } from '../draft.ts';
import { isCount } from '../config.ts';
import type { LayerAt, LayerImporter } from '../layer.ts';

export const flatten: LayerImporter = (layer) => {
  layer.expect('data_format', 'channels_last');
  return layer.node('flatten', [layer.input().id]);
};

export const reshape: LayerImporter = (layer) => {
  const x = layer.input();
  const target = layer.config.list('target_shape');
  const size = x.shape.reduce((product, length) => product * length, 1);
  const known = target.filter(isCount).reduce((product, length) => product * length, 1);
  const open = target.filter((length) => !isCount(length));
  if (open.length > 1 || (open.length === 1 && ((open[0] !== -1 && open[0] !== null) || size % known !== 0)))
    throw layer.error(
      `"target_shape" is ${JSON.stringify(target).slice(0, 64)}; expected lengths from 1 with at most one -1 or null that fits [${x.shape.join(', ')}].`,
    );
  return layer.node('reshape', [x.id], {
    shape: target.map((length) => (isCount(length) ? length : size / known)),
  });
};

export const dropout: LayerImporter = (layer) => {
  const x = layer.input();
  if (layer.config.has('noise_shape')) throw layer.error('"noise_shape" has no meaning in the IR.');
  return layer.node('dropout', [x.id], { rate: layer.config.number('rate') });
};

export const add = combine('add');
export const multiply = combine('mul');

/** All inputs of one shape: nothing is repeated. */
function combine(op: string): LayerImporter {
  return (layer) => {
    const [first, ...others] = several(layer);
    return others.reduce<Tensor>((sum, { id }) => layer.node(op, [sum.id, id]), first);
  };
}

export const concatenate: LayerImporter = (layer) => {
  const inputs = several(layer);
  const rank = inputs[0].shape.length;
  const axis = layer.config.number('axis', -1);
  return layer.node(
    'concat',
    inputs.map(({ id }) => id),
    { axis: axis < 0 ? rank + 1 + axis : axis },
  );
};

function several(layer: LayerAt): readonly Tensor[] {
  const { inputs } = layer;
  if (inputs.length >= 2) return inputs;
  throw layer.error(`has ${inputs.length} inputs; expected two or more.`);
}
