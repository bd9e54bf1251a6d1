import { Config, describe, isCount } from './config.ts';
import { TfjsImportError } from './errors.ts';

/** One layer as model.json has it, with the names of the layers that it takes its inputs from. */
export interface TopologyLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  readonly inputs: readonly string[];
}

/** A model as a list of layers, each behind those it takes its inputs from. */
export interface Topology {
  readonly name: string;
  /** The name that stands for the input of the model among the inputs of layers. */
  readonly input: string;
  /** Axes of one example. */
  readonly inputShape: readonly number[];
  readonly layers: readonly TopologyLayer[];
  /** The name of the layer that the model ends with. */
  readonly output: string;
}

/** As many layers as nodes fit into a model. */
const maxLayers = 512;

/** Reads `modelTopology` of model.json, as tfjs and as its converter write it. */
export function readTopology(json: unknown): Topology {
  const outer = new Config(json, '"modelTopology"');
  const model = outer.has('model_config') ? outer.object('model_config') : outer;
  const className = model.text('class_name');
  if (className === 'Sequential') return readSequential(model);
  if (className === 'Functional' || className === 'Model') return readFunctional(model.object('config'));
  throw new TfjsImportError(
    `The topology is a ${describe(className)}; expected "Sequential", "Functional" or "Model".`,
  );
}

/** Keras 2.1 had the list of layers in place of a configuration. */
function readSequential(model: Config): Topology {
  const bare = Array.isArray(model.get('config'));
  const config = bare ? model : model.object('config');
  const read = config.list(bare ? 'config' : 'layers');
  checkCount(read);
  const all = read.map((json) => readLayer(json));
  const first = all.at(0);
  if (!first) throw new TfjsImportError('The model has no layers.');
  const inputShape = batchInputShape(first);
  const input = '';
  const layers = all.filter(({ className }) => className !== 'InputLayer');
  const chain = layers.map((layer, i) => ({ ...layer, inputs: [layers[i - 1]?.name ?? input] }));
  checkNames(chain);
  return {
    name: bare ? 'sequential' : config.text('name', 'sequential'),
    input,
    inputShape,
    layers: chain,
    output: chain.at(-1)?.name ?? input,
  };
}

function readFunctional(config: Config): Topology {
  const read = config.list('layers');
  checkCount(read);
  const all = read.map((json) => {
    const layer = readLayer(json);
    return { ...layer, inputs: inboundLayers(layer.name, new Config(json, 'a layer')) };
  });
  checkNames(all);
  const input = onlyLayer(config, 'input_layers');
  const output = onlyLayer(config, 'output_layers');
  const source = all.find(({ name }) => name === input);
  if (source?.className !== 'InputLayer')
    throw new TfjsImportError(
      `"input_layers" names ${describe(input)}, which is no InputLayer of the model.`,
    );
  const layers = inOrder(all, input, output);
  return { name: config.text('name', 'model'), input, inputShape: batchInputShape(source), layers, output };
}

function checkCount(layers: readonly unknown[]): void {
  if (layers.length > maxLayers)
    throw new TfjsImportError(`The model has ${layers.length} layers; at most ${maxLayers} can be read.`);
}

function checkNames(layers: readonly { readonly name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of layers) {
    if (names.has(name)) throw new TfjsImportError('two layers have this name.', name);
    names.add(name);
  }
}

function readLayer(json: unknown): Omit<TopologyLayer, 'inputs'> {
  const layer = new Config(json, 'a layer');
  const className = layer.text('class_name');
  const config = layer.object('config');
  const name = layer.text('name', config.text('name', className));
  return { name, className, config: new Config(layer.get('config'), '"config"', name) };
}

function batchInputShape({ name, config }: Pick<TopologyLayer, 'name' | 'config'>): number[] {
  const key = config.has('batch_shape') ? 'batch_shape' : 'batch_input_shape';
  if (!config.has(key))
    throw new TfjsImportError('the first layer has no "batch_input_shape", so the input is not known.', name);
  const [, ...axes] = config.list(key);
  if (axes.length === 0 || !axes.every(isCount))
    throw new TfjsImportError(
      `"${key}" is ${JSON.stringify(config.get(key)).slice(0, 64)}; expected a length from 1 for each axis behind the batch.`,
      name,
    );
  return axes;
}

/** `[[[name, node, tensor, …], …]]`: one use of the layer, with one entry an input. */
function inboundLayers(layer: string, config: Config): string[] {
  const uses = config.has('inbound_nodes') ? config.list('inbound_nodes') : [];
  if (uses.length > 1) throw new TfjsImportError('is used more than once; weights cannot be shared.', layer);
  const [use] = uses;
  if (use === undefined) return [];
  if (!Array.isArray(use))
    throw new TfjsImportError('"inbound_nodes" is of another format than Keras 2 and tfjs write.', layer);
  return use.map((entry: unknown) => layerOf(entry, '"inbound_nodes"', layer));
}

/** `[[name, node, tensor]]`, or that entry alone. */
function onlyLayer(config: Config, key: string): string {
  const entries = config.list(key);
  if (typeof entries[0] === 'string') return layerOf(entries, `"${key}"`);
  if (entries.length !== 1)
    throw new TfjsImportError(
      `"${key}" has ${entries.length} entries; a model has one input and one output.`,
    );
  return layerOf(entries[0], `"${key}"`);
}

function layerOf(entry: unknown, what: string, layer?: string): string {
  const parts: readonly unknown[] = Array.isArray(entry) ? entry : [];
  const [name, node, tensor] = parts;
  if (typeof name === 'string' && node === 0 && tensor === 0) return name;
  throw new TfjsImportError(
    `${what} has an entry that is not the only output of a layer's only use, [name, 0, 0].`,
    layer,
  );
}

/** The layers that the output depends on, without the input, each behind its own inputs. */
function inOrder(all: readonly TopologyLayer[], input: string, output: string): TopologyLayer[] {
  const byName = new Map(all.map((layer) => [layer.name, layer]));
  const state = new Map<string, 'open' | 'done'>([[input, 'done']]);
  const ordered: TopologyLayer[] = [];
  const visit = (name: string, from: string | undefined) => {
    if (state.get(name) === 'done') return;
    const layer = byName.get(name);
    if (!layer)
      throw new TfjsImportError(`takes its input from ${describe(name)}, which does not exist.`, from);
    if (state.get(name) === 'open') throw new TfjsImportError('takes part in a cycle.', name);
    state.set(name, 'open');
    layer.inputs.forEach((source) => {
      visit(source, name);
    });
    state.set(name, 'done');
    ordered.push(layer);
  };
  visit(output, undefined);
  const idle = all.find(({ name }) => !state.has(name));
  if (idle) throw new TfjsImportError('does not contribute to the output of the model.', idle.name);
  return ordered;
}
