/**
 * Writes what the TypeScript engine makes of the zoo and of small models, for cluster/tests to hold PyTorch and MindSpore
 * against: fresh weights, predictions, gradients, twenty steps, ONNX, and a round of each learning algorithm.
 * After a build: `node cluster/scripts/parity.mjs DIRECTORY`.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toOnnx } from '../../model/dist/interchange/index.js';
import {
  compile,
  initialise,
  inputMoments,
  learn,
  parseModel,
  setStatistics,
  stream,
  trustedBackend,
} from '../../model/dist/index.js';
import { rowsByFormula } from '../../model/dist/zoo/testing/formula.js';
import { writeSafetensors, writeWeights } from '../../protocol/dist/index.js';

const [, , directory] = process.argv;
const zoo = fileURLToPath(new URL('../../model/zoo/', import.meta.url));
const backend = trustedBackend();
const rowsOf = { 'femnist-cnn': 4, 'char-lstm': 3, 'tiny-gpt': 2 };
const seed = 20260921;
const steps = 20;
/**
 * A gentle rate, as a share of the recommended one: at the whole of it the roundings of float32 flip a relu or a pooling
 * window within twenty steps (femnist-cnn: PyTorch in float32 ends 0.2 % away from PyTorch in float64).
 */
const gentle = 0.1;

const f32 = (name, shape, data) => ({ name, dtype: 'F32', shape, data: Float32Array.from(data) });

/** A folder for a case: its document, tensors by file, and the numbers that JSON holds. */
function write(name, model, files, facts) {
  const folder = join(directory, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model.ir));
  writeFileSync(join(folder, 'facts.json'), JSON.stringify(facts));
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, file), bytes);
}

/** The batches of a course of training: all rows, in an order of their own for each step. */
function* orders(count) {
  const random = stream(seed, 'parity');
  const order = Int32Array.from({ length: count }, (_, row) => row);
  for (let step = 0; step < steps; step++) {
    random.shuffle(order);
    yield order.slice(0, Math.max(2, count - 1));
  }
}

function writeTraining(name, json, rows) {
  const model = parseModel(json);
  const program = compile(model, { batch: rows, backend });
  const params = initialise(model, seed);
  const batch = rowsByFormula(model, 'train', rows);
  const { logits } = program.predict(params, batch.x);
  const gradient = new Float32Array(params.layout.weights.size);
  const loss = program.gradient(params, batch, gradient);
  const judgement = program.evaluate(params, batch);
  const trainer = program.trainer(params, { optimiser: model.optimiser, seed });
  const rate = gentle * model.optimiser.rate;
  const losses = [...orders(rows)].map((order) => trainer.step({ ...batch, rows: order }, { rate }).loss);
  const { layout } = params;
  write(
    name,
    model,
    {
      'initial.safetensors': writeWeights(layout, params.values),
      'trained.safetensors': writeWeights(layout, trainer.read().values),
      'results.safetensors': writeSafetensors([
        f32('logits', [logits.length], logits),
        f32('gradient', [gradient.length], gradient),
      ]),
      ...(model.hasDropout ? {} : { 'model.onnx': toOnnx(model, params) }),
    },
    { rows, seed, steps, rate, loss, losses, judgement },
  );
}

/** A model with one of everything that initialisation and training draw. */
const drawn = {
  umir: 1,
  opset: 1,
  name: 'drawn',
  inputs: [
    { id: 'x', shape: ['B', 4, 6] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 4 },
  ],
  params: [
    { id: 'mean', shape: [6], init: { kind: 'inputMean' } },
    { id: 'inverse-sd', shape: [6], init: { kind: 'inputInverseSd' } },
    { id: 'w1', shape: [6, 9], init: { kind: 'glorotUniform' } },
    { id: 'b1', shape: [9], init: { kind: 'constant', value: 0.125 } },
    { id: 'gamma', shape: [9], init: { kind: 'ones' } },
    { id: 'beta', shape: [9], init: { kind: 'normal', deviation: 0.3 }, share: 'local' },
    { id: 'w2', shape: [36, 7], init: { kind: 'heUniform' } },
    { id: 'b2', shape: [7], init: { kind: 'zeros' } },
    { id: 'w3', shape: [7, 4], init: { kind: 'uniform', fan: 7 }, group: 'head' },
  ],
  nodes: [
    { op: 'standardise', in: ['x', 'mean', 'inverse-sd'], out: 'z' },
    { op: 'dense', in: ['z', 'w1', 'b1'], out: 'h1' },
    { op: 'layerNorm', in: ['h1', 'gamma', 'beta'], out: 'n' },
    { op: 'gelu', in: ['n'], out: 'g', attrs: { variant: 'tanh' } },
    { op: 'dropout', in: ['g'], out: 'd1', attrs: { rate: 0.25 } },
    { op: 'flatten', in: ['d1'], out: 'f' },
    { op: 'dense', in: ['f', 'w2', 'b2'], out: 'h2' },
    { op: 'tanh', in: ['h2'], out: 't' },
    { op: 'dropout', in: ['t'], out: 'd2', attrs: { rate: 0.5 } },
    { op: 'dense', in: ['d2', 'w3'], out: 'logits' },
  ],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  metrics: ['accuracy', 'f1', 'perplexity', { kind: 'topK', k: 2 }],
  optimiser: { kind: 'adamw', rate: 0.01, weightDecay: 0.05 },
};
const personal = {
  ...drawn,
  name: 'personal',
  nodes: drawn.nodes.map((node) =>
    node.op === 'dropout' ? { op: 'tanh', in: node.in, out: node.out } : node,
  ),
  meta: { adapt: ['head', 'body'] },
};

const plans = {
  fedavg: { algorithm: 'fedavg', epochs: 3, batchSize: 7, rate: 0.05, clipNorm: 0.05 },
  reptile: { algorithm: 'reptile', steps: 9, batchSize: 5, rate: 0.05 },
  fomaml: { algorithm: 'fomaml', innerSteps: 3, innerRate: 0.3, supportShares: [0.2, 0.5], maxQuery: 9 },
  maml: { algorithm: 'maml', innerSteps: 3, innerRate: 0.3, supportShares: [0.2, 0.5], maxQuery: 9 },
  'meta-sgd': { algorithm: 'meta-sgd', innerSteps: 2, initialRate: 0.2, supportShares: [0.5], maxQuery: 64 },
};

function writeRound(name, json, plan, count, recordings) {
  const model = parseModel(json);
  const program = compile(model, { batch: count, backend });
  const params = initialise(model, seed, { learnedRates: plan.initialRate });
  const batch = rowsByFormula(model, 'person', count);
  const recording =
    recordings && Int32Array.from({ length: count }, (_, row) => Math.floor((row * recordings) / count));
  const examples = { ...batch, ...(recording && { recording }) };
  if (params.layout.entries.some(({ role }) => role === 'statistic'))
    setStatistics(params, inputMoments(model, examples));
  const update = learn(program, params, examples, plan, { seed: 7 });
  const { layout } = params;
  const vector = new Float32Array(layout.size);
  vector.set(update.vector);
  write(
    name,
    model,
    {
      'shared.safetensors': writeWeights(layout, params.values),
      'update.safetensors': writeWeights(layout, vector),
    },
    {
      plan,
      count,
      seed,
      learnSeed: 7,
      recording: recording ? [...recording] : null,
      weight: update.weight,
      metrics: update.metrics,
    },
  );
}

for (const file of readdirSync(zoo).filter((entry) => entry.endsWith('.json'))) {
  const name = file.slice(0, -5);
  writeTraining(`zoo/${name}`, JSON.parse(readFileSync(join(zoo, file), 'utf8')), rowsOf[name] ?? 10);
}
writeTraining('trained/drawn', drawn, 12);
for (const [algorithm, plan] of Object.entries(plans)) {
  writeRound(`round/${algorithm}-personal`, personal, plan, 24, undefined);
  writeRound(`round/${algorithm}-recordings`, { ...personal, meta: { adapt: ['head'] } }, plan, 24, 8);
}
const conv4 = JSON.parse(readFileSync(join(zoo, 'conv4.json'), 'utf8'));
writeRound(
  'round/maml-conv4',
  conv4,
  { ...plans.maml, innerSteps: 1, innerRate: 0.4, maxQuery: 25 },
  30,
  undefined,
);
writeRound(
  'round/meta-sgd-conv4',
  conv4,
  { ...plans['meta-sgd'], innerSteps: 1, maxQuery: 25 },
  30,
  undefined,
);

const random = stream(seed, 'a name with ü');
const order = Array.from({ length: 50 }, (_, i) => i);
random.shuffle(order);
writeFileSync(
  join(directory, 'streams.json'),
  JSON.stringify({
    seed,
    name: 'a name with ü',
    order,
    below: Array.from({ length: 20 }, () => random.below(3_000_000_000)),
    words: Array.from({ length: 9 }, () => random.nextUint32()),
  }),
);
