import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import { initialise } from '../parameters/initialise.ts';
import { stream } from '../random/streams.ts';
import { compile } from './compile.ts';
import { ExamplesMismatch } from './errors.ts';
import type { Batch } from './program.ts';

const uniform = (fan: number) => ({ kind: 'uniform', fan });
const frame = { umir: 1, opset: 1, name: 'm' };

/** Tokens to a class for each place: embedding - LSTM - dense. */
const tagger = parseModel({
  ...frame,
  inputs: [
    { id: 'x', shape: ['B', 5], dtype: 'i32', vocabulary: 7 },
    { id: 'y', shape: ['B', 5], dtype: 'i32', role: 'label', classes: 3 },
  ],
  params: [
    { id: 'table', shape: [7, 4], init: { kind: 'normal', deviation: 1 } },
    { id: 'wx', shape: [4, 24], init: uniform(6) },
    { id: 'wh', shape: [6, 24], init: uniform(6) },
    { id: 'b', shape: [24], init: uniform(6) },
    { id: 'w', shape: [6, 3], init: uniform(6) },
  ],
  nodes: [
    { op: 'embedding', in: ['x', 'table'], out: 'e' },
    { op: 'lstm', in: ['e', 'wx', 'wh', 'b'], out: 'h' },
    { op: 'dense', in: ['h', 'w'], out: 'logits' },
  ],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  metrics: ['accuracy', { kind: 'topK', k: 2 }, 'f1', 'perplexity'],
});

/** Four numbers to two: dense - tanh - dense. */
const regressor = parseModel({
  ...frame,
  inputs: [
    { id: 'x', shape: ['B', 4] },
    { id: 'y', shape: ['B', 2], dtype: 'f32', role: 'label' },
  ],
  params: [
    { id: 'v', shape: [4, 8], init: uniform(4) },
    { id: 'w', shape: [8, 2], init: uniform(8) },
  ],
  nodes: [
    { op: 'dense', in: ['x', 'v'], out: 'h' },
    { op: 'tanh', in: ['h'], out: 'a' },
    { op: 'dense', in: ['a', 'w'], out: 'found' },
  ],
  loss: { op: 'meanSquaredError', in: ['found', 'y'] },
});

/** dense - (norm or dropout) - dense. */
function mixer(node: object, params: readonly object[] = []) {
  return parseModel({
    ...frame,
    inputs: [
      { id: 'x', shape: ['B', 4] },
      { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 2 },
    ],
    params: [
      { id: 'v', shape: [4, 8], init: uniform(4) },
      { id: 'w', shape: [8, 2], init: uniform(8) },
      ...params,
    ],
    nodes: [
      { op: 'dense', in: ['x', 'v'], out: 'h' },
      { ...node, out: 'm' },
      { op: 'dense', in: ['m', 'w'], out: 'logits' },
    ],
    loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  });
}
const normed = mixer({ op: 'batchNorm', in: ['h', 'gamma', 'beta'] }, [
  { id: 'gamma', shape: [8], init: { kind: 'ones' } },
  { id: 'beta', shape: [8], init: { kind: 'zeros' } },
]);
const dropping = mixer({ op: 'dropout', in: ['h'], attrs: { rate: 0.5 } });

/** The tag of a place is the remainder of its token and the one before. */
function sentences(count: number): Batch {
  const random = stream(3, 'sentences');
  const x = Int32Array.from({ length: count * 5 }, () => random.below(7));
  const y = x.map((token, i) => (token + (i % 5 === 0 ? 0 : x[i - 1])) % 3);
  return { x, y, count };
}

function points(count: number): Batch {
  const random = stream(4, 'points');
  const x = Float32Array.from({ length: count * 4 }, () => 2 * random.nextFloat() - 1);
  const y = Float32Array.from({ length: count * 2 }, (_, i) => x[(i >> 1) * 4 + (i & 1)] * 0.8);
  return { x, y, count };
}

const classified = (count: number): Batch => {
  const { x } = points(count);
  return { x, y: Int32Array.from({ length: count }, (_, i) => (x[i * 4] > 0 ? 1 : 0)), count };
};

describe('a model of tokens with a label at each place', () => {
  it('learns, and is judged label by label with every metric that it asks for', () => {
    const batch = sentences(40);
    const program = compile(tagger, { batch: 8 });
    const params = initialise(tagger, 1);
    const before = program.evaluate(params, batch);
    expect(before.count).toBe(200);
    const trainer = program.trainer(params, {
      rows: 40,
      optimiser: { kind: 'adam', rate: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    });
    for (let step = 0; step < 150; step++) trainer.step(batch, { rate: 0.03 });
    const after = program.evaluate(trainer.read(), batch);
    expect(after.metrics['accuracy']).toBeGreaterThan(0.9);
    expect(after.metrics['accuracy']).toBe(after.correct / 200);
    expect(after.metrics['f1']).toBeGreaterThan(0.9);
    expect(after.metrics['top2']).toBeGreaterThanOrEqual(after.metrics['accuracy']);
    expect(after.metrics['perplexity']).toBeCloseTo(Math.exp(after.loss / after.count), 10);
    const { probabilities, classes } = program.predict(params, batch.x.subarray(0, 10));
    expect([probabilities.length, classes]).toEqual([30, 3]);
  });

  it('refuses a token that is not in the vocabulary', () => {
    const batch = sentences(3);
    batch.x[7] = 7;
    const evaluate = () => compile(tagger, { batch: 2 }).evaluate(initialise(tagger, 1), batch);
    expect(evaluate).toThrow(ExamplesMismatch);
    expect(evaluate).toThrow(/Row 1 has the token 7; expected an id from 0 to 6/);
  });
});

describe('what is judged', () => {
  it('counts a row whose logits are no numbers as wrong', () => {
    const batch = sentences(2);
    const params = initialise(tagger, 1);
    params.values.fill(NaN, params.layout.entries.at(-1)!.offset);
    const { correct, metrics } = compile(tagger, { batch: 2 }).evaluate(params, batch);
    expect([correct, metrics['accuracy'], metrics['top2']]).toEqual([0, 0, 0]);
  });

  it('refuses targets that are no numbers, and a count that is none', () => {
    const batch = points(3);
    const evaluate = (changed: object) => () =>
      compile(regressor, { batch: 2 }).evaluate(initialise(regressor, 1), { ...batch, ...changed });
    expect(evaluate({ y: Float32Array.of(0, 0, 0, NaN, 0, 0) })).toThrow(/Row 1 has the target NaN/);
    expect(evaluate({ count: -1 })).toThrow(/count of -1/);
    expect(evaluate({ count: NaN })).toThrow(ExamplesMismatch);
  });
});

describe('a model of values', () => {
  it('learns, and is judged by its mean absolute error', () => {
    const batch = points(30);
    const program = compile(regressor, { batch: 30 });
    const params = initialise(regressor, 1);
    const trainer = program.trainer(params);
    for (let step = 0; step < 400; step++) trainer.step(batch, { rate: 0.3 });
    const after = program.evaluate(trainer.read(), batch);
    expect(after.count).toBe(30);
    expect(after.metrics['meanAbsoluteError']).toBeLessThan(0.1);
    const { logits } = program.predict(trainer.read(), batch.x);
    const error = logits.reduce((sum, value, i) => sum + Math.abs(value - batch.y[i]), 0) / 60;
    expect(after.metrics['meanAbsoluteError']).toBeCloseTo(error, 6);
  });
});

describe('a model whose rows influence each other', () => {
  const batch = classified(11);

  it('judges and adapts all rows together, whatever the batch, and never with padding', () => {
    const params = initialise(normed, 1);
    const whole = compile(normed, { batch: 11 }).evaluate(params, batch);
    expect(compile(normed, { batch: 4 }).evaluate(params, batch)).toEqual(whole);
    const slopes = [4, 32].map((size) => {
      const out = new Float32Array(params.layout.weights.size);
      compile(normed, { batch: size }).gradient(params, batch, out);
      return out;
    });
    expect(slopes[0]).toEqual(slopes[1]);
  });

  it('keeps weights and momentum when a smaller batch comes between', () => {
    const optimiser = { kind: 'sgd', rate: 0, momentum: 0.9, weightDecay: 0, nesterov: false } as const;
    const order = [
      [0, 4],
      [4, 7],
      [7, 11],
    ] as const;
    const rowsOf = ([from, to]: readonly [number, number]) =>
      Int32Array.from({ length: to - from }, (_, i) => from + i);
    const trainer = compile(normed, { batch: 4 }).trainer(initialise(normed, 1), { optimiser });
    for (const part of order) trainer.step({ ...batch, rows: rowsOf(part) }, { rate: 0.1 });
    const weights = initialise(normed, 1);
    const velocity = new Float64Array(weights.values.length);
    const slope = new Float32Array(weights.values.length);
    for (const part of order) {
      compile(normed, { batch: part[1] - part[0] }).gradient(
        weights,
        { ...batch, rows: rowsOf(part) },
        slope,
      );
      velocity.forEach((v, i) => (velocity[i] = 0.9 * v + slope[i]));
      velocity.forEach((v, i) => (weights.values[i] -= 0.1 * v));
    }
    trainer.read().values.forEach((w, i) => {
      expect(w).toBeCloseTo(weights.values[i], 5);
    });
  });
});

describe('dropout', () => {
  const batch = classified(16);

  it('drops in training by the seed alone, and never when a model is judged', () => {
    const program = compile(dropping, { batch: 16 });
    const params = initialise(dropping, 1);
    const course = (seed: number) => {
      const trainer = program.trainer(params, { seed });
      const losses = [1, 2, 3].map(() => trainer.step(batch, { rate: 0.1 }).loss);
      return { losses, values: trainer.read().values };
    };
    expect(course(1)).toEqual(course(1));
    expect(course(1).losses).not.toEqual(course(2).losses);
    expect(program.evaluate(params, batch)).toEqual(program.evaluate(params, batch));
  });
});
