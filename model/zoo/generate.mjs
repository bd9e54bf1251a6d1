/**
 * Writes the documents of the zoo beside this file: `node model/zoo/generate.mjs`. The documents are the definition; this
 * script only spares writing repeated blocks by hand. What it writes is what is checked in, to the byte.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const features = (...axes) => ({ id: 'x', shape: ['B', ...axes] });
const tokens = (length, vocabulary) => ({ id: 'x', shape: ['B', length], dtype: 'i32', vocabulary });
const labels = (classes, ...axes) => ({
  id: 'y',
  shape: ['B', ...axes],
  dtype: 'i32',
  role: 'label',
  classes,
});

const product = (axes) => axes.reduce((size, axis) => size * axis, 1);
const parameter = (id, shape, init, group = 'body') => ({ id, shape, init, group });
const uniform = (fan) => ({ kind: 'uniform', fan });
const zeros = { kind: 'zeros' };
const ones = { kind: 'ones' };

/** Weights that end in [in, out], drawn within 1 / sqrt(inputs of a unit), and biases of zero. */
function layer(name, shape, group = 'body') {
  return [
    parameter(`${name}/w`, shape, uniform(product(shape.slice(0, -1))), group),
    parameter(`${name}/b`, [shape.at(-1)], zeros, group),
  ];
}

const scaleAndOffset = (name, length) => [
  parameter(`${name}/gamma`, [length], ones),
  parameter(`${name}/beta`, [length], zeros),
];

const node = (op, inputs, out, attrs) => ({ op, in: inputs, out, ...(attrs && { attrs }) });
const weighted = (op, x, name, out, attrs) => node(op, [x, `${name}/w`, `${name}/b`], out, attrs);
const normalised = (op, x, name, out) => node(op, [x, `${name}/gamma`, `${name}/beta`], out);

function document(name, inputs, params, nodes, { rate, metrics = ['accuracy'], meta }) {
  return {
    umir: 1,
    opset: 1,
    name,
    inputs,
    params,
    nodes,
    loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
    metrics,
    optimiser: { kind: 'sgd', rate },
    ...(meta && { meta }),
  };
}

const harMlp = document(
  'har-mlp',
  [features(561), labels(6)],
  [...layer('hidden', [561, 100]), ...layer('out', [100, 6], 'head')],
  [
    weighted('dense', 'x', 'hidden', 'hidden'),
    node('relu', ['hidden'], 'active'),
    weighted('dense', 'active', 'out', 'logits'),
  ],
  { rate: 0.05 },
);

const sensorCnn = document(
  'sensor-cnn',
  [features(128, 9), labels(6)],
  [
    ...layer('conv1', [5, 9, 32]),
    ...layer('conv2', [5, 32, 64]),
    ...layer('hidden', [1856, 100]),
    ...layer('out', [100, 6], 'head'),
  ],
  [
    weighted('conv1d', 'x', 'conv1', 'conv1'),
    node('relu', ['conv1'], 'active1'),
    node('maxPool1d', ['active1'], 'pool1', { size: 2 }),
    weighted('conv1d', 'pool1', 'conv2', 'conv2'),
    node('relu', ['conv2'], 'active2'),
    node('maxPool1d', ['active2'], 'pool2', { size: 2 }),
    node('flatten', ['pool2'], 'flat'),
    weighted('dense', 'flat', 'hidden', 'hidden'),
    node('relu', ['hidden'], 'active3'),
    weighted('dense', 'active3', 'out', 'logits'),
  ],
  { rate: 0.05 },
);

const padTwo = { pads: [2, 2, 2, 2] };
const halve = { size: [2, 2] };
const femnistCnn = document(
  'femnist-cnn',
  [features(28, 28, 1), labels(62)],
  [
    ...layer('conv1', [5, 5, 1, 32]),
    ...layer('conv2', [5, 5, 32, 64]),
    ...layer('hidden', [3136, 2048]),
    ...layer('out', [2048, 62], 'head'),
  ],
  [
    weighted('conv2d', 'x', 'conv1', 'conv1', padTwo),
    node('relu', ['conv1'], 'active1'),
    node('maxPool2d', ['active1'], 'pool1', halve),
    weighted('conv2d', 'pool1', 'conv2', 'conv2', padTwo),
    node('relu', ['conv2'], 'active2'),
    node('maxPool2d', ['active2'], 'pool2', halve),
    node('flatten', ['pool2'], 'flat'),
    weighted('dense', 'flat', 'hidden', 'hidden'),
    node('relu', ['hidden'], 'active3'),
    weighted('dense', 'active3', 'out', 'logits'),
  ],
  { rate: 0.05 },
);

const recurrent = (name, inputs, hidden) => [
  parameter(`${name}/wx`, [inputs, 4 * hidden], uniform(inputs)),
  parameter(`${name}/wh`, [hidden, 4 * hidden], uniform(hidden)),
  parameter(`${name}/b`, [4 * hidden], zeros),
];
const lstm = (x, name, output) =>
  node('lstm', [x, `${name}/wx`, `${name}/wh`, `${name}/b`], name, { output });
const charLstm = document(
  'char-lstm',
  [tokens(80, 80), labels(80)],
  [
    parameter('embedding', [80, 8], uniform(3)),
    ...recurrent('lstm1', 8, 256),
    ...recurrent('lstm2', 256, 256),
    ...layer('out', [256, 80], 'head'),
  ],
  [
    node('embedding', ['x', 'embedding'], 'embedded'),
    lstm('embedded', 'lstm1', 'sequence'),
    lstm('lstm1', 'lstm2', 'last'),
    weighted('dense', 'lstm2', 'out', 'logits'),
  ],
  { rate: 0.5 },
);

/** One pre-norm block (Radford et al. 2019): x + attention(norm(x)), then x + mlp(norm(x)). */
function transformerBlock(name, x, width, heads) {
  const [queries, keys, values] = ['q', 'k', 'v'].map((part) => `${name}/${part}`);
  const cut = (out, part) =>
    node('slice', [`${name}/qkv`], out, { axis: 2, start: part * width, end: (part + 1) * width });
  const out = `${name}/out`;
  return {
    out,
    params: [
      ...scaleAndOffset(`${name}/norm1`, width),
      ...layer(`${name}/qkv`, [width, 3 * width]),
      ...layer(`${name}/project`, [width, width]),
      ...scaleAndOffset(`${name}/norm2`, width),
      ...layer(`${name}/widen`, [width, 4 * width]),
      ...layer(`${name}/narrow`, [4 * width, width]),
    ],
    nodes: [
      normalised('layerNorm', x, `${name}/norm1`, `${name}/normed1`),
      weighted('dense', `${name}/normed1`, `${name}/qkv`, `${name}/qkv`),
      cut(queries, 0),
      cut(keys, 1),
      cut(values, 2),
      node('attention', [queries, keys, values], `${name}/attended`, { heads, causal: true }),
      weighted('dense', `${name}/attended`, `${name}/project`, `${name}/projected`),
      node('add', [x, `${name}/projected`], `${name}/middle`),
      normalised('layerNorm', `${name}/middle`, `${name}/norm2`, `${name}/normed2`),
      weighted('dense', `${name}/normed2`, `${name}/widen`, `${name}/wide`),
      node('gelu', [`${name}/wide`], `${name}/active`, { variant: 'tanh' }),
      weighted('dense', `${name}/active`, `${name}/narrow`, `${name}/narrowed`),
      node('add', [`${name}/middle`, `${name}/narrowed`], out),
    ],
  };
}

const block1 = transformerBlock('block1', 'placed', 64, 4);
const block2 = transformerBlock('block2', block1.out, 64, 4);
const tinyGpt = document(
  'tiny-gpt',
  [tokens(64, 64), labels(64, 64)],
  [
    parameter('embedding', [64, 64], uniform(400)),
    parameter('positions', [64, 64], uniform(400)),
    ...block1.params,
    ...block2.params,
    ...scaleAndOffset('norm', 64),
    parameter('head/w', [64, 64], uniform(64), 'head'),
  ],
  [
    node('embedding', ['x', 'embedding'], 'embedded'),
    node('add', ['embedded', 'positions'], 'placed'),
    ...block1.nodes,
    ...block2.nodes,
    normalised('layerNorm', block2.out, 'norm', 'normed'),
    node('dense', ['normed', 'head/w'], 'logits'),
  ],
  { rate: 0.1, metrics: ['accuracy', 'perplexity'] },
);

const stages = [1, 2, 3, 4];
const conv4 = document(
  'conv4',
  [features(28, 28, 1), labels(5)],
  [
    ...stages.flatMap((i) => {
      const channels = i === 1 ? 1 : 32;
      return [
        parameter(`conv${i}/w`, [3, 3, channels, 32], uniform(9 * channels)),
        ...scaleAndOffset(`norm${i}`, 32),
      ];
    }),
    ...layer('out', [32, 5], 'head'),
  ],
  [
    ...stages.flatMap((i) => [
      node('conv2d', [i === 1 ? 'x' : `pool${i - 1}`, `conv${i}/w`], `conv${i}`, { pads: [1, 1, 1, 1] }),
      normalised('batchNorm', `conv${i}`, `norm${i}`, `normed${i}`),
      node('relu', [`normed${i}`], `active${i}`),
      node('maxPool2d', [`active${i}`], `pool${i}`, halve),
    ]),
    node('flatten', ['pool4'], 'flat'),
    weighted('dense', 'flat', 'out', 'logits'),
  ],
  {
    rate: 0.05,
    meta: { algorithm: 'maml', order: 2, innerSteps: 1, innerRate: 0.4, adapt: ['body', 'head'] },
  },
);

for (const ir of [harMlp, sensorCnn, femnistCnn, charLstm, tinyGpt, conv4]) {
  const path = fileURLToPath(new URL(`${ir.name}.json`, import.meta.url));
  const text = await format(JSON.stringify(ir), { ...(await resolveConfig(path)), filepath: path });
  writeFileSync(path, text);
}
