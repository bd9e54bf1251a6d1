import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../ir/parse.ts';
import { layoutOf } from '../../parameters/layout.ts';
import { stream } from '../../random/streams.ts';
import { referenceOutput, relativeError } from '../testing/reference-output.ts';
import { tfjsGolden } from '../testing/tfjs-golden.ts';
import { TfjsImportError } from './errors.ts';
import { fromTfjsLayers, type ImportedModel, type TfjsOptions } from './from-tfjs-layers.ts';
import { layerImporters } from './layers/index.ts';

interface Golden {
  readonly model: { modelTopology: unknown; weightSpecs: { name: string }[] };
  readonly weights: number[];
  readonly input: number[];
  readonly output: number[];
}

const golden = (name: keyof typeof tfjsGolden) => JSON.parse(tfjsGolden[name]) as Golden; // by tfjs-golden.mjs

const options: Partial<Record<keyof typeof tfjsGolden, TfjsOptions>> = {
  regression: { loss: 'meanSquaredError' },
};

/** Logits or predictions of an imported model. */
function run({ ir, values }: ImportedModel, x: readonly number[]): Float64Array {
  const model = parseModel(ir);
  const layout = layoutOf(model);
  const flat = new Float32Array(layout.size);
  for (const { name, offset } of layout.entries) flat.set(values.get(name)!, offset);
  return referenceOutput(model, { layout, values: flat }, Float32Array.from(x));
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function softmaxRows(logits: Float64Array, classes: number): Float64Array {
  const weights = logits.map(Math.exp);
  const sum = (row: number) => weights.slice(row * classes, (row + 1) * classes).reduce((a, b) => a + b);
  return weights.map((weight, i) => weight / sum(Math.floor(i / classes)));
}

/** The same values with the function that the import moved into the loss. */
function predictions({ ir }: ImportedModel, raw: Float64Array): Float64Array {
  const { loss, classes } = parseModel(ir);
  if (loss.op === 'softmaxCrossEntropy') return softmaxRows(raw, classes);
  return loss.op === 'binaryCrossEntropy' ? raw.map(sigmoid) : raw;
}

interface LayerJson {
  readonly class_name: string;
  readonly config: Record<string, unknown>;
}

function layer(class_name: string, config: Record<string, unknown>): LayerJson {
  return { class_name, config: { name: class_name.toLowerCase(), ...config } };
}

/** A Sequential model with weights drawn for each name and shape. */
function sequential(
  inputShape: readonly number[],
  layers: readonly LayerJson[],
  weights: Readonly<Record<string, readonly number[]>>,
) {
  const random = stream(3, 'weights');
  const names = Object.entries(weights);
  const values = new Map(
    names.map(([name, shape]) => {
      const length = shape.reduce((size, axis) => size * axis, 1);
      return [name, Float32Array.from({ length }, () => 2 * random.nextFloat() - 1)];
    }),
  );
  const [first, ...others] = layers;
  const opened = { ...first, config: { ...first.config, batch_input_shape: [null, ...inputShape] } };
  return {
    json: {
      modelTopology: { class_name: 'Sequential', config: { name: 'hand', layers: [opened, ...others] } },
      weightsManifest: [{ weights: names.map(([name, shape]) => ({ name, shape, dtype: 'float32' })) }],
    },
    values,
    buffer: Float32Array.from([...values.values()].flatMap((part) => [...part])).buffer,
  };
}

describe('fromTfjsLayers', () => {
  it.each(Object.keys(tfjsGolden) as (keyof typeof tfjsGolden)[])(
    '%s: predicts what TensorFlow.js predicts',
    (name) => {
      const { model, weights, input, output } = golden(name);
      const imported = fromTfjsLayers(model, [Float32Array.from(weights).buffer], options[name]);
      const found = predictions(imported, run(imported, input));
      expect(relativeError(found, output)).toBeLessThan(1e-5);
    },
  );

  it('is tried on every kind of layer', () => {
    const used = Object.values(tfjsGolden).flatMap((json) =>
      [...json.matchAll(/"class_name":"(\w+)","config"/g)].map(([, name]) => name),
    );
    const missing = [...layerImporters.keys()].filter((name) => !used.includes(name));
    expect(missing).toEqual(['GRU']); // TensorFlow.js runs none with reset_after; by hand below
  });

  it('reads a GRU of Keras with reset_after, its gates in the order z, r, h', () => {
    const { json, values, buffer } = sequential(
      [3, 2],
      [layer('GRU', { units: 2, recurrent_activation: 'sigmoid', reset_after: true })],
      {
        'gru/gru_cell/kernel': [2, 6],
        'gru/gru_cell/recurrent_kernel': [2, 6],
        'gru/gru_cell/bias': [2, 6],
      },
    );
    const [kernel, recurrent, bias] = [...values.values()];
    const x = [0.5, -1, 2, 0.25, -0.75, 1.5];
    let h = [0, 0];
    for (let t = 0; t < 3; t++) {
      const fromInput = (column: number) =>
        x[2 * t] * kernel[column] + x[2 * t + 1] * kernel[6 + column] + bias[column];
      const fromState = (column: number) =>
        h[0] * recurrent[column] + h[1] * recurrent[6 + column] + bias[6 + column];
      h = [0, 1].map((unit) => {
        const z = sigmoid(fromInput(unit) + fromState(unit));
        const r = sigmoid(fromInput(2 + unit) + fromState(2 + unit));
        return z * h[unit] + (1 - z) * Math.tanh(fromInput(4 + unit) + r * fromState(4 + unit));
      });
    }
    const imported = fromTfjsLayers(json, [buffer], { loss: 'meanSquaredError' });
    expect(relativeError(run(imported, x), h)).toBeLessThan(1e-6);
  });

  it('reads causal padding as zeros in front', () => {
    const { json, buffer, values } = sequential(
      [3, 1],
      [layer('Conv1D', { filters: 1, kernel_size: 2, padding: 'causal', use_bias: false })],
      { 'conv1d/kernel': [2, 1, 1] },
    );
    const [before, now] = values.get('conv1d/kernel')!;
    const imported = fromTfjsLayers(json, [buffer], { loss: 'meanSquaredError' });
    const expected = [5 * now, 5 * before + 7 * now, 7 * before + 11 * now];
    expect(relativeError(run(imported, [5, 7, 11]), expected)).toBeLessThan(1e-6);
  });

  it('reads what the converter of Keras models writes, its weights in several files', () => {
    const { json, buffer } = sequential([2], [layer('Dense', { units: 2, activation: 'softmax' })], {
      'dense/kernel': [2, 2],
      'dense/bias': [2],
    });
    const nested = { ...json, modelTopology: { keras_version: '2.13.1', model_config: json.modelTopology } };
    const shards = [buffer.slice(0, 7), buffer.slice(7)];
    expect(fromTfjsLayers(nested, shards)).toEqual(fromTfjsLayers(json, [buffer]));
  });

  it('moves a last softmax into the loss, and makes the last weights the head', () => {
    const { model, weights } = golden('tokens');
    const { ir } = fromTfjsLayers(model, [Float32Array.from(weights).buffer]);
    const parsed = parseModel(ir);
    expect(parsed.ir.nodes.map(({ op }) => op)).toEqual(
      'embedding lstm conv1d tanh layerNorm maxPool1d lstm dense'.split(' '),
    );
    expect(parsed).toMatchObject({ vocabulary: 7, classes: 3, inputShape: [6] });
    const head = parsed.parameters.filter(({ group }) => group === 'head');
    expect(head.map(({ shape }) => shape)).toEqual([[2, 3], [3]]);
  });

  it('folds batch normalisation into one factor and one offset a channel', () => {
    const { json, buffer, values } = sequential(
      [2],
      [layer('BatchNormalization', { epsilon: 0.5 }), layer('Activation', { activation: 'softmax' })],
      Object.fromEntries(['gamma', 'beta', 'moving_mean'].map((name) => [`batchnormalization/${name}`, [2]])),
    );
    json.weightsManifest[0].weights.push({
      name: 'batchnormalization/moving_variance',
      shape: [2],
      dtype: 'float32',
    });
    const [gamma, beta, mean] = [...values.values()];
    const all = Float32Array.of(...new Float32Array(buffer), 3.5, 8.5); // 4 and 9 with epsilon
    const imported = fromTfjsLayers(json, [all.buffer]);
    const expected = [1, -2].map((x, i) => ((x - mean[i]) / (i + 2)) * gamma[i] + beta[i]);
    expect(relativeError(run(imported, [1, -2]), expected)).toBeLessThan(1e-6);
  });

  describe('refuses, naming the layer', () => {
    const dense = layer('Dense', { units: 2, activation: 'softmax' });
    const denseWeights = { 'dense/kernel': [4, 2], 'dense/bias': [2] };
    const refusals: [string, readonly number[], LayerJson[], string, string | undefined][] = [
      [
        'a class without an op',
        [4],
        [layer('ConvLSTM2D', {}), dense],
        'no op for a ConvLSTM2D',
        'convlstm2d',
      ],
      ['an activation', [4], [layer('Activation', { activation: 'selu' }), dense], '"selu"', 'activation'],
      ['a ReLU with a ceiling', [4], [layer('ReLU', { max_value: 6 }), dense], '"max_value" is 6', 'relu'],
      [
        'padding of a pool',
        [3, 4],
        [layer('MaxPooling1D', { pool_size: [2], strides: [2], padding: 'same' }), dense],
        'pools without padding',
        'maxpooling1d',
      ],
      [
        'gaps in windows',
        [4, 4],
        [layer('Conv1D', { filters: 2, kernel_size: 2, dilation_rate: [2] }), dense],
        'dilated',
        'conv1d',
      ],
      [
        'channels in front',
        [4, 4, 4],
        [layer('Conv2D', { filters: 2, kernel_size: 2, data_format: 'channels_first' }), dense],
        '"data_format"',
        'conv2d',
      ],
      [
        'hard sigmoid gates',
        [4, 4],
        [layer('LSTM', { units: 4, recurrent_activation: 'hard_sigmoid' }), dense],
        '"recurrent_activation"',
        'lstm',
      ],
      [
        'a reset gate before the product',
        [4, 4],
        [layer('GRU', { units: 4, recurrent_activation: 'sigmoid' }), dense],
        '"reset_after"',
        'gru',
      ],
      ['a wrong weight', [3], [dense], '[4, 2]; expected [3, 2]', 'dense'],
      [
        'a missing weight',
        [4],
        [layer('Dense', { name: 'other', units: 4 }), dense],
        '"kernel" is missing',
        'other',
      ],
      [
        'normalisation of another axis',
        [4, 4],
        [layer('LayerNormalization', { axis: [1] }), dense],
        '"axis" is [1]',
        'layernormalization',
      ],
      [
        'ids that are computed',
        [4],
        [layer('ReLU', {}), layer('Embedding', { input_dim: 3, output_dim: 2 })],
        'only the input',
        'embedding',
      ],
      ['an output that says no loss', [4], [layer('ReLU', {})], 'say with "loss"', undefined],
    ];
    it.each(refusals)('%s', (_, inputShape, layers, message, name) => {
      const weights = layers.includes(dense) ? denseWeights : {};
      const { json, buffer } = sequential(inputShape, layers, weights);
      const error = refusal(() => fromTfjsLayers(json, [buffer]));
      expect(error.message).toContain(message);
      expect(error.layer).toBe(name);
    });

    it('weights that do not fit the manifest', () => {
      const { json, buffer } = sequential([4], [dense], denseWeights);
      expect(refusal(() => fromTfjsLayers(json, [buffer.slice(4)])).message).toContain(
        '"dense/bias" would end',
      );
      expect(refusal(() => fromTfjsLayers(json, [buffer, buffer])).message).toContain('80 bytes');
      const quantised = { ...json.weightsManifest[0].weights[0], quantization: { dtype: 'uint8' } };
      const manifest = [{ weights: [quantised] }];
      expect(
        refusal(() => fromTfjsLayers({ ...json, weightsManifest: manifest }, [buffer])).message,
      ).toContain('quantised');
    });

    it('weights that no layer uses', () => {
      const { json, buffer } = sequential([4], [dense], { ...denseWeights, 'old/kernel': [1] });
      expect(refusal(() => fromTfjsLayers(json, [buffer])).message).toContain('"old/kernel"');
    });

    it('a graph with shared layers or a cycle', () => {
      const input = {
        ...layer('InputLayer', { name: 'in', batch_input_shape: [null, 2] }),
        inbound_nodes: [],
      };
      const graph = (inbound: unknown) => ({
        modelTopology: {
          class_name: 'Model',
          config: {
            name: 'm',
            layers: [
              input,
              { ...layer('Add', {}), inbound_nodes: inbound },
              { ...layer('ReLU', {}), inbound_nodes: [[['add', 0, 0, {}]]] },
            ],
            input_layers: [['in', 0, 0]],
            output_layers: [['relu', 0, 0]],
          },
        },
        weightsManifest: [],
      });
      const use = [
        ['in', 0, 0, {}],
        ['in', 0, 0, {}],
      ];
      const imported = fromTfjsLayers(graph([use]), [], { loss: 'meanSquaredError' });
      expect([...run(imported, [1, -2])]).toEqual([2, 0]);
      const cycle = [
        ['in', 0, 0, {}],
        ['relu', 0, 0, {}],
      ];
      expect(refusal(() => fromTfjsLayers(graph([cycle]), [])).message).toContain('cycle');
      expect(refusal(() => fromTfjsLayers(graph([use, use]), [])).message).toContain('more than once');
    });
  });

  it('throws nothing but its own error, whatever is in the document', () => {
    const documents = (['plane', 'tokens', 'branches'] as const).map((name) => golden(name));
    const shards = documents.map(({ weights }) => [Float32Array.from(weights).buffer]);
    let refused = 0;
    fc.assert(
      fc.property(
        fc.nat({ max: documents.length - 1 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        fc.jsonValue(),
        (which, path, value) => {
          const changed: unknown = JSON.parse(JSON.stringify(documents[which].model));
          replaceAt(changed, path, value);
          try {
            parseModel(fromTfjsLayers(changed, shards[which], { loss: 'meanSquaredError' }).ir);
          } catch (error) {
            expect(error).toBeInstanceOf(TfjsImportError);
            refused += 1;
          }
        },
      ),
      { numRuns: 500, seed: 1 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});

function refusal(run: () => unknown): TfjsImportError {
  try {
    run();
  } catch (error) {
    if (error instanceof TfjsImportError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

/** Replaces the value that a path of choices leads to. */
function replaceAt(node: unknown, path: readonly number[], value: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const record = node as Record<string, unknown>; // arrays as well: their keys are indices
  const keys = Object.keys(record);
  if (keys.length === 0) return;
  const [choice, ...rest] = path;
  const key = keys[choice % keys.length];
  const child = record[key];
  if (rest.length > 0 && typeof child === 'object' && child !== null) replaceAt(child, rest, value);
  else record[key] = value;
}
