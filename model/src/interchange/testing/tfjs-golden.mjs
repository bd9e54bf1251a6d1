/**
 * Builds small layers models with TensorFlow.js, and prints tfjs-golden.ts: topology, weights, an input and what
 * TensorFlow.js makes of it. In a directory of its own, outside the repository:
 * `npm install --ignore-scripts @tensorflow/tfjs@4.22.0`, then `node tfjs-golden.mjs 2>/dev/null > tfjs-golden.ts`.
 */
import * as tf from '@tensorflow/tfjs';

await tf.setBackend('cpu');
const { layers } = tf;

const plane = tf.sequential({
  name: 'plane',
  layers: [
    layers.conv2d({
      inputShape: [7, 6, 2],
      ...{ filters: 3, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu' },
    }),
    layers.depthwiseConv2d({ kernelSize: 2, padding: 'same', useBias: false }),
    layers.batchNormalization({ epsilon: 0.01 }),
    layers.maxPooling2d({ poolSize: [2, 1], strides: 1 }),
    layers.averagePooling2d({ poolSize: [1, 2] }),
    layers.batchNormalization({ scale: false, center: false }),
    layers.dropout({ rate: 0.25 }),
    layers.flatten(),
    layers.dense({ units: 4, activation: 'softmax' }),
  ],
});

const tokens = tf.sequential({
  name: 'tokens',
  layers: [
    layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 6 }),
    layers.lstm({ units: 4, recurrentActivation: 'sigmoid', returnSequences: true }),
    layers.conv1d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'tanh' }),
    layers.layerNormalization({}),
    layers.maxPooling1d({ poolSize: 2, padding: 'same' }),
    layers.lstm({ units: 2, recurrentActivation: 'sigmoid', useBias: false }),
    layers.dense({ units: 3 }),
    layers.softmax({}),
  ],
});

const series = tf.input({ shape: [8, 2] });
const coarse = layers.conv1d({ filters: 4, kernelSize: 4, strides: 2, padding: 'same' }).apply(series);
const bent = layers.activation({ activation: 'gelu' }).apply(coarse);
const gate = layers.dense({ units: 4, activation: 'sigmoid' }).apply(bent);
const gated = layers.multiply().apply([bent, gate]);
const sum = layers.add().apply([coarse, gated, bent]);
const means = layers.averagePooling1d({ poolSize: 3, strides: 1 }).apply(sum);
const wide = layers.concatenate({ axis: 1 }).apply([means, gated]);
const image = layers.reshape({ targetShape: [3, -1, 2] }).apply(wide);
const level = layers.globalAveragePooling2d({}).apply(image);
const peak = layers.globalMaxPooling2d({}).apply(image);
const time = layers.globalAveragePooling1d().apply(wide);
const top = layers.globalMaxPooling1d().apply(wide);
const all = layers.concatenate().apply([level, peak, time, top]);
const positive = layers.reLU().apply(all);
const branches = tf.model({
  name: 'branches',
  inputs: series,
  outputs: layers.dense({ units: 2, activation: 'sigmoid' }).apply(positive),
});

const regression = tf.sequential({
  name: 'regression',
  layers: [
    layers.dense({ inputShape: [3], units: 4, activation: 'gelu_new' }),
    layers.activation({ activation: 'softmax' }),
    layers.dense({ units: 2 }),
  ],
});

const rows = 3;

async function describe(model, vocabulary) {
  // Drawn anew: the moving statistics of a new model are 0 and 1, its biases 0.
  model.setWeights(
    model.weights.map(({ shape, name }, i) =>
      name.includes('variance')
        ? tf.randomUniform(shape, 0.5, 2, 'float32', i)
        : tf.randomUniform(shape, -1, 1, 'float32', i),
    ),
  );
  const [, ...axes] = model.inputs[0].shape;
  const shape = [rows, ...axes];
  const input =
    vocabulary === undefined
      ? tf.randomUniform(shape, -2, 2, 'float32', 99)
      : tf.randomUniform(shape, 0, vocabulary, 'int32', 99);
  let saved;
  await model.save({ save: async (artifacts) => ((saved = artifacts), { modelArtifactsInfo: {} }) });
  const { modelTopology, weightSpecs, weightData } = saved;
  return JSON.stringify({
    model: { format: 'layers-model', modelTopology, weightSpecs },
    weights: [...new Float32Array(weightData)],
    input: [...input.dataSync()],
    output: [...model.predict(input).dataSync()],
  });
}

const golden = {
  plane: await describe(plane),
  tokens: await describe(tokens, 7),
  branches: await describe(branches),
  regression: await describe(regression),
};

console.log(
  '/** What TensorFlow.js %s makes of models of its own, by tfjs-golden.mjs: JSON. */',
  tf.version.tfjs,
);
console.log('export const tfjsGolden = {');
for (const [name, json] of Object.entries(golden))
  console.log('  %s:\n    %s,', name, `'${json.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`);
console.log('};');
