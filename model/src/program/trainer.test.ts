import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import type { OptimiserIr } from '../ir/schema.ts';
import { initialise } from '../parameters/initialise.ts';
import { cnn, mlp } from '../testing/models.ts';
import { toyExamples } from '../testing/toy.ts';
import { compile } from './compile.ts';
import { TrainingDiverged } from './errors.ts';
import type { Params } from '../parameters/layout.ts';
import type { Batch } from './program.ts';

declare const process: { memoryUsage(): { heapUsed: number } };

const model = parseModel(mlp(4, 6, 3));
const examples = toyExamples(13, 4, 3, 1);
const batches = [0, 4, 8].map((from): Batch => ({
  ...examples,
  rows: Int32Array.from({ length: 4 }, (_, i) => from + i),
}));

function train(optimiser: OptimiserIr, steps: number, rate: number): Params {
  const trainer = compile(model, { batch: 4 }).trainer(initialise(model, 1), { optimiser });
  for (let i = 0; i < steps; i++) trainer.step(batches[i % batches.length], { rate });
  return trainer.read();
}

/** The same course by gradients of the program and an update written out in float64. */
function byHand(
  steps: number,
  update: (w: number, g: number, i: number, step: number) => number,
): Float64Array {
  const program = compile(model, { batch: 4 });
  const params = initialise(model, 1);
  const weights = Float64Array.from(params.values.subarray(0, params.layout.weights.size));
  const slope = new Float32Array(weights.length);
  for (let step = 1; step <= steps; step++) {
    params.values.set(weights);
    program.gradient(params, batches[(step - 1) % batches.length], slope);
    slope.forEach((g, i) => (weights[i] = update(weights[i], g, i, step)));
  }
  return weights;
}

function expectClose(found: Params, wanted: Float64Array): void {
  wanted.forEach((w, i) => {
    expect(Math.abs(found.values[i] - w)).toBeLessThan(2e-5);
  });
}

const size = initialise(model, 1).layout.weights.size;

describe('Trainer', () => {
  it('takes plain steps of SGD as the program takes them one by one', () => {
    const program = compile(model, { batch: 4 });
    const params = initialise(model, 1);
    const trainer = program.trainer(params);
    for (const batch of batches) {
      const { loss } = program.train(params, batch, { rate: 0.3 });
      expect(trainer.step(batch, { rate: 0.3 }).loss).toBeCloseTo(loss, 6);
    }
    expectClose(trainer.read(), Float64Array.from(params.values));
  });

  it.each([
    ['momentum', 0.9, 0, false],
    ['weight decay', 0, 0.1, false],
    ['momentum, weight decay and Nesterov', 0.8, 0.05, true],
  ] as const)('takes steps of SGD with %s', (_, momentum, weightDecay, nesterov) => {
    const velocity = new Float64Array(size);
    const wanted = byHand(7, (w, g, i) => {
      const slope = g + weightDecay * w;
      velocity[i] = momentum * velocity[i] + slope;
      return w - 0.1 * (nesterov ? slope + momentum * velocity[i] : velocity[i]);
    });
    expectClose(train({ kind: 'sgd', rate: 0.1, momentum, weightDecay, nesterov }, 7, 0.1), wanted);
  });

  it.each(['adam', 'adamw'] as const)('takes steps of %s', (kind) => {
    const [beta1, beta2, epsilon, weightDecay, rate] = [0.9, 0.99, 1e-8, 0.1, 0.02];
    const [first, second] = [new Float64Array(size), new Float64Array(size)];
    const wanted = byHand(9, (w, g, i, step) => {
      const slope = kind === 'adam' ? g + weightDecay * w : g;
      const from = kind === 'adam' ? w : w * (1 - rate * weightDecay);
      first[i] = beta1 * first[i] + (1 - beta1) * slope;
      second[i] = beta2 * second[i] + (1 - beta2) * slope * slope;
      const mean = first[i] / (1 - beta1 ** step);
      return from - (rate * mean) / (Math.sqrt(second[i] / (1 - beta2 ** step)) + epsilon);
    });
    expectClose(train({ kind, rate, beta1, beta2, epsilon, weightDecay }, 9, rate), wanted);
  });

  it('starts afresh for each course', () => {
    const program = compile(model, { batch: 4 });
    const course = () => {
      const trainer = program.trainer(initialise(model, 1), {
        optimiser: { kind: 'sgd', rate: 0.1, momentum: 0.9, weightDecay: 0, nesterov: false },
      });
      for (const batch of batches) trainer.step(batch, { rate: 0.1 });
      return trainer.read().values;
    };
    expect(course()).toEqual(course());
  });

  it('stops at a step that is not finite, names it, and leaves the weights before it', () => {
    const trainer = compile(model, { batch: 4 }).trainer(initialise(model, 1));
    trainer.step(batches[0], { rate: 0.1 });
    const before = trainer.read().values;
    const x = examples.x.map((value, i) => (i === 5 ? Infinity : value));
    const step = () => trainer.step({ ...examples, x, rows: Int32Array.of(0, 1) }, { rate: 0.1 });
    expect(step).toThrow(TrainingDiverged);
    expect(step).toThrow(/step 2/);
    expect(trainer.read().values).toEqual(before);
    expect(trainer.step(batches[1], { rate: 0.1 }).loss).toBeGreaterThan(0);
  });

  it('refuses more rows than it was made for, and a course that another took the place of', () => {
    const program = compile(model, { batch: 4 });
    const trainer = program.trainer(initialise(model, 1), { rows: 2 });
    expect(() => trainer.step(batches[0], { rate: 0.1 })).toThrow(/4 rows.*at most 2/);
    program.trainer(initialise(model, 2), { rows: 2 });
    expect(() => trainer.read()).toThrow(/Another trainer/);
  });

  it('refuses a rate that would leave weights no numbers', () => {
    const trainer = compile(model, { batch: 4 }).trainer(initialise(model, 1));
    for (const rate of [NaN, Infinity, 1e39, -0.1])
      expect(() => trainer.step(batches[0], { rate })).toThrow(/The rate is/);
    expect(trainer.read().values).toEqual(initialise(model, 1).values);
  });

  it('allocates no more than its answer for a step', () => {
    const trainer = compile(model, { batch: 4 }).trainer(initialise(model, 1));
    const options = { rate: 0.01 };
    const growth = Array.from({ length: 30 }, () => {
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 1000; i++) trainer.step(batches[0], options);
      return process.memoryUsage().heapUsed - before;
    });
    // A negative round saw the garbage collector; the answer is an object of one number, and numbers may be boxed.
    const least = Math.min(...growth.filter((bytes) => bytes >= 0));
    expect(least).toBeLessThan(1000 * 256);
  });

  it('says what its arena takes: weights, their gradients, and what lies between', () => {
    const convolutional = parseModel(cnn(20, 2, 3));
    const { arenaBytes } = compile(convolutional, { batch: 4 }).trainer(initialise(convolutional, 1));
    const weights = 4 * initialise(convolutional, 1).layout.weights.size;
    expect(arenaBytes).toBeGreaterThan(2 * weights);
    expect(arenaBytes).toBeLessThan(2 * weights + 64 * 1024);
  });
});
