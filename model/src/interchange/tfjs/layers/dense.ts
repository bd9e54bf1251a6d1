import type { LayerImporter } from '../layer.ts';
import { activate } from './activation.ts';

export const dense: LayerImporter = (layer) => {
  const x = layer.input();
  const units = layer.config.count('units');
  const kernel = layer.parameter('kernel', [x.shape.at(-1)!, units], 'glorotUniform');
  return activate(layer, layer.node('dense', [x.id, kernel, ...layer.bias(units)]));
};

/** The model's input becomes ids of tokens. */
export const embedding: LayerImporter = (layer) => {
  const x = layer.input();
  const rows = layer.config.count('input_dim');
  const columns = layer.config.count('output_dim');
  layer.expect('mask_zero', false);
  if (x.id !== layer.draft.input.id)
    throw layer.error('looks up what another layer computed; only the input of a model can be ids.');
  const table = layer.parameter('embeddings', [rows, columns], 'glorotUniform');
  layer.draft.vocabulary = Math.min(layer.draft.vocabulary ?? rows, rows);
  return layer.node('embedding', [x.id, table]);
};
