import type { Tensor } from '../draft.ts';
import type { LayerAt, LayerImporter } from '../layer.ts';

/** Names of functions, and what they are in the IR. `gelu` is x Phi(x); `gelu_new` its approximation by tanh. */
const functions: ReadonlyMap<string, readonly [op: string, attrs: Readonly<Record<string, unknown>>]> =
  new Map([
    ['relu', ['relu', {}]],
    ['tanh', ['tanh', {}]],
    ['sigmoid', ['sigmoid', {}]],
    ['softmax', ['softmax', {}]],
    ['gelu', ['gelu', { variant: 'erf' }]],
    ['gelu_new', ['gelu', { variant: 'tanh' }]],
  ]);

/** Applies the function that a layer's `activation` names. */
export function activate(layer: LayerAt, x: Tensor): Tensor {
  const name = layer.config.text('activation', 'linear');
  if (name === 'linear') return x;
  const found = functions.get(name);
  if (!found)
    throw layer.error(
      `its activation is "${name.slice(0, 64)}"; the IR has linear, ${[...functions.keys()].join(', ')}.`,
    );
  const [op, attrs] = found;
  return layer.node(op, [x.id], attrs);
}

export const activation: LayerImporter = (layer) => activate(layer, layer.input());

export const relu: LayerImporter = (layer) => {
  layer.expect('max_value'); // infinity is written as null
  layer.expect('negative_slope', 0);
  layer.expect('threshold', 0);
  return layer.node('relu', [layer.input().id]);
};

export const softmax: LayerImporter = (layer) => {
  const x = layer.input();
  layer.expect('axis', -1, x.shape.length);
  return layer.node('softmax', [x.id]);
};
