import { ModelError } from '../../ir/errors.ts';
import { parseModel } from '../../ir/parse.ts';
import { Config } from './config.ts';
import { Draft, type Tensor } from './draft.ts';
import { TfjsImportError } from './errors.ts';
import { LayerAt } from './layer.ts';
import { layerImporters } from './layers/index.ts';
import { readTopology, type Topology } from './topology.ts';
import { TfjsWeights } from './weights.ts';

export interface TfjsOptions {
  /** What a model is trained with whose last activation is linear; layers models do not say. */
  readonly loss?: 'softmaxCrossEntropy' | 'binaryCrossEntropy' | 'meanSquaredError';
}

export interface ImportedModel {
  /** A document in the Unified Model IR that `parseModel` accepts. */
  readonly ir: unknown;
  /** The values of each parameter of it, by its id; in the layout of the IR. */
  readonly values: Map<string, Float32Array>;
}

/**
 * Reads a layers model of TensorFlow.js: a Sequential or functional model with one input and one output, as
 * `model.save` and the converter of Keras 2 models write it. A last softmax moves into the loss softmaxCrossEntropy, a
 * last sigmoid into binaryCrossEntropy. Batch normalisation is folded into `mul` and `add`. Only what a layer computes
 * in inference, and dropout, is taken over: initialisers, regularisers, constraints, optimiser and `trainable` are not.
 * The parameters of the last layer that has any are the head, all others the body.
 * @param json - The parsed model.json: `modelTopology` and `weightsManifest` (or, from memory, `weightSpecs`).
 * @param weights - The files that the manifest names, in its order.
 * @throws TfjsImportError Naming the layer and what is missing. Never another error.
 */
export function fromTfjsLayers(
  json: unknown,
  weights: readonly ArrayBuffer[],
  options: TfjsOptions = {},
): ImportedModel {
  const document = new Config(json, 'the model');
  const topology = readTopology(document.get('modelTopology'));
  const manifest = document.list(document.has('weightsManifest') ? 'weightsManifest' : 'weightSpecs');
  const draft = new Draft(topology.inputShape);
  const store = new TfjsWeights(manifest, weights);
  const output = readLayers(topology, draft, store);
  store.end();
  const ir = finish(topology, draft, output, options);
  check(ir);
  return { ir, values: draft.values };
}

function readLayers(topology: Topology, draft: Draft, weights: TfjsWeights): Tensor {
  const outputs = new Map<string, Tensor>([[topology.input, draft.input]]);
  for (const layer of topology.layers) {
    const read = layerImporters.get(layer.className);
    if (!read)
      throw new TfjsImportError(
        `there is no op for a ${layer.className.slice(0, 64)}; these can be read: ${[...layerImporters.keys()].join(', ')}.`,
        layer.name,
      );
    const inputs = layer.inputs.map((name) => outputs.get(name)!); // the topology has them in order
    outputs.set(layer.name, read(new LayerAt(layer, inputs, draft, weights)));
  }
  return outputs.get(topology.output)!; // the last of the layers, or the input
}

function finish(topology: Topology, draft: Draft, output: Tensor, options: TfjsOptions): unknown {
  const { nodes, params, vocabulary, input } = draft;
  const last = nodes.at(-1);
  const folded =
    last?.out !== output.id
      ? undefined
      : last.op === 'softmax'
        ? 'softmaxCrossEntropy'
        : last.op === 'sigmoid'
          ? 'binaryCrossEntropy'
          : undefined;
  const loss = folded ?? options.loss;
  if (loss === undefined)
    throw new TfjsImportError(
      `The model ends with a ${last?.op ?? 'layer'}, neither softmax nor sigmoid; say with "loss" what it is trained with.`,
    );
  const predictions = folded === undefined || last === undefined ? output.id : last.in[0];
  const shape = ['B', ...output.shape];
  const classes = output.shape.at(-1);
  const head = params.at(-1)?.layer;
  return {
    umir: 1,
    opset: 1,
    name:
      topology.name
        .replace(/[^A-Za-z0-9_.-]/g, '_')
        .replace(/^[^A-Za-z0-9]+/, '')
        .slice(0, 80) || 'model',
    inputs: [
      {
        id: input.id,
        shape: ['B', ...input.shape],
        ...(vocabulary !== undefined && { dtype: 'i32', vocabulary }),
      },
      loss === 'softmaxCrossEntropy'
        ? { id: 'y', shape: shape.slice(0, -1), dtype: 'i32', role: 'label', classes }
        : { id: 'y', shape, dtype: 'f32', role: 'label' },
    ],
    params: params.map(({ layer, ...param }) => ({ ...param, group: layer === head ? 'head' : 'body' })),
    nodes: folded === undefined ? nodes : nodes.slice(0, -1),
    loss: { op: loss, in: [predictions, 'y'] },
  };
}

function check(ir: unknown): void {
  try {
    parseModel(ir);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new TfjsImportError(`The model was read, but it is none that can be run: ${error.message}`);
  }
}
