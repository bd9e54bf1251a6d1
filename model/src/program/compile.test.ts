import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import { jsBackend } from '../kernels/js/index.ts';
import { MemoryUnavailable } from '../kernels/memory-unavailable.ts';
import { initialise } from '../parameters/initialise.ts';
import { setStatistics } from '../parameters/statistics.ts';
import { cnn, mlp } from '../testing/models.ts';
import { toyExamples } from '../testing/toy.ts';
import { compile } from './compile.ts';
import { ExamplesMismatch, ParamsMismatch } from './errors.ts';

const model = parseModel(mlp(4, 6, 3));
const examples = toyExamples(13, 4, 3, 1);

function gradientWith(batch: number, rows?: Int32Array) {
  const params = initialise(model, 1);
  const out = new Float32Array(params.layout.weights.size);
  const loss = compile(model, { batch }).gradient(params, { ...examples, ...(rows && { rows }) }, out);
  return { loss, out };
}

function expectClose(found: Float32Array, wanted: Float32Array, tolerance: number): void {
  wanted.forEach((value, i) => {
    expect(Math.abs(found[i] - value)).toBeLessThan(tolerance);
  });
}

describe('Program', () => {
  it('gives the same gradient whatever the capacity: padding and passes change nothing', () => {
    const whole = gradientWith(13);
    for (const batch of [1, 4, 8, 32]) {
      const { loss, out } = gradientWith(batch);
      expect(loss).toBeCloseTo(whole.loss, 6);
      expectClose(out, whole.out, 1e-6);
    }
  });

  it('uses the rows that are listed, in their order', () => {
    const rows = Int32Array.of(12, 3, 3);
    const picked = {
      x: Float32Array.from([...rows].flatMap((row) => [...examples.x.subarray(row * 4, row * 4 + 4)])),
      y: Int32Array.from(rows, (row) => examples.y[row]),
      count: 3,
    };
    const params = initialise(model, 1);
    const out = new Float32Array(params.layout.weights.size);
    compile(model, { batch: 4 }).gradient(params, picked, out);
    expect(gradientWith(4, rows).out).toEqual(out);
  });

  it('trains in place, one step against the gradient, and leaves rates and statistics', () => {
    const program = compile(model, { batch: 4 });
    const params = initialise(model, 1, { learnedRates: 0.5 });
    const before = params.values.slice();
    const { size } = params.layout.weights;
    const slope = new Float32Array(size);
    const loss = program.gradient(params, examples, slope);
    expect(program.train(params, examples, { rate: 0.25 }).loss).toBe(loss);
    expectClose(
      params.values.slice(0, size),
      before.slice(0, size).map((w, i) => w - 0.25 * slope[i]),
      1e-7,
    );
    expect(params.values.slice(size)).toEqual(before.slice(size));
  });

  it('judges rows one by one as it judges them together', () => {
    const program = compile(parseModel(cnn(9, 2, 3)), { batch: 5 });
    const rows = toyExamples(12, 18, 3, 2);
    const params = initialise(program.model, 3);
    const whole = program.evaluate(params, rows);
    const single = Array.from({ length: 12 }, (_, i) =>
      program.evaluate(params, { ...rows, rows: Int32Array.of(i) }),
    );
    expect(whole.count).toBe(12);
    expect(whole.correct).toBe(single.reduce((sum, { correct }) => sum + correct, 0));
    expect(whole.loss).toBeCloseTo(
      single.reduce((sum, { loss }) => sum + loss, 0),
      5,
    );
  });

  it('names a constant predictor', () => {
    const program = compile(model, { batch: 8 });
    const params = initialise(model, 1);
    params.values.fill(0, 0, params.layout.weights.size);
    params.values[params.layout.weights.size - 1] = 5;
    expect(program.evaluate(params, examples).constantPredictor).toBe(true);
    expect(program.evaluate(params, { ...examples, rows: Int32Array.of(0, 3) }).constantPredictor).toBe(
      false,
    );
  });

  it('predicts probabilities that sum to 1 and agree with the judgement', () => {
    const program = compile(model, { batch: 4 });
    const params = initialise(model, 1);
    const { probabilities, classes, count } = program.predict(params, examples.x);
    expect([classes, count]).toEqual([3, 13]);
    let loss = 0;
    for (let row = 0; row < count; row++) {
      const of = probabilities.subarray(row * 3, row * 3 + 3);
      expect(of[0] + of[1] + of[2]).toBeCloseTo(1, 6);
      loss -= Math.log(of[examples.y[row]]);
    }
    expect(program.evaluate(params, examples).loss).toBeCloseTo(loss, 4);
  });

  it('standardises with the statistics of the parameters, wherever the layout has them', () => {
    const program = compile(model, { batch: 4 });
    const moments = { mean: Float64Array.of(1, 0, 0, 0), meanOfSquares: Float64Array.of(5, 1, 1, 1) };
    const plain = initialise(model, 1);
    const withRates = initialise(model, 1, { learnedRates: 0.1 });
    setStatistics(plain, moments);
    setStatistics(withRates, moments);
    const shifted = examples.x.map((value, i) => (i % 4 === 0 ? 2 * value + 1 : value));
    const standardised = program.predict(initialise(model, 1), examples.x).logits;
    expectClose(program.predict(plain, shifted).logits, standardised, 1e-6);
    expectClose(program.predict(withRates, shifted).logits, standardised, 1e-6);
  });

  it('says what it will take before it takes it', () => {
    const small = compile(model, { batch: 8 }).arenaBytes;
    const large = compile(model, { batch: 64 }).arenaBytes;
    expect(small).toBeGreaterThan(0);
    expect(large).toBeGreaterThan(3 * small);
  });

  it.each([
    ['a label that is no class', { ...examples, y: new Int32Array(13).fill(3) }, /label 3/],
    ['too few values', { ...examples, count: 14 }, /14 rows of 4/],
    ['a row that is not there', { ...examples, rows: Int32Array.of(13) }, /Row 13/],
    ['no rows', { ...examples, count: 0 }, /no rows/],
  ])('refuses %s', (_, batch, message) => {
    const judge = () => compile(model, { batch: 4 }).evaluate(initialise(model, 1), batch);
    expect(judge).toThrow(ExamplesMismatch);
    expect(judge).toThrow(message);
  });

  it('refuses parameters of another model, and learned rates that are not there', () => {
    const program = compile(model, { batch: 4 });
    const other = initialise(parseModel(mlp(4, 5, 3)), 1);
    expect(() => program.evaluate(other, examples)).toThrow(ParamsMismatch);
    const request = {
      support: examples,
      query: examples,
      innerSteps: 1,
      innerRate: 'learned',
      order: 2,
    } as const;
    expect(() => program.metaGradient(initialise(model, 1), request, new Float32Array(100))).toThrow(
      /carry none/,
    );
  });

  it('refuses a prediction for part of a row, and a batch of nothing', () => {
    expect(() => compile(model, { batch: 4 }).predict(initialise(model, 1), new Float32Array(5))).toThrow(
      ExamplesMismatch,
    );
    expect(() => compile(model, { batch: 0 })).toThrow(RangeError);
  });

  it('pads support and query without changing the meta-gradient', () => {
    const params = initialise(model, 2, { learnedRates: 0.3 });
    const run = (support: number, query: number) => {
      const out = new Float32Array(params.layout.learnable.size);
      const rows = (from: number, many: number) => ({
        ...examples,
        rows: Int32Array.from({ length: many }, (_, i) => (from + i) % 13),
      });
      // Listing rows twice leaves every mean as it is, but needs another capacity.
      const outcome = compile(model, { batch: 4 }).metaGradient(
        params,
        { support: rows(0, support), query: rows(5, query), innerSteps: 2, innerRate: 'learned', order: 2 },
        out,
      );
      return { out, outcome };
    };
    const once = run(13, 13);
    const twice = run(26, 26);
    expectClose(twice.out, once.out, 1e-6);
    expect(twice.outcome.innerLosses[1]).toBeCloseTo(once.outcome.innerLosses[1], 6);
    expect(twice.outcome.after.loss).toBeCloseTo(2 * once.outcome.after.loss, 4);
  });

  it('compiles meta-programs for few sizes, and keeps a bounded number', () => {
    let memories = 0;
    const counting = {
      ...jsBackend,
      createMemory(floats: number) {
        memories++;
        return jsBackend.createMemory(floats);
      },
    };
    const program = compile(model, { batch: 4, backend: counting });
    const params = initialise(model, 2);
    const out = new Float32Array(params.layout.learnable.size);
    const episode = (support: number, innerSteps: number) => {
      const rows = Int32Array.from({ length: support }, (_, i) => i % 13);
      const request = {
        support: { ...examples, rows },
        query: examples,
        innerSteps,
        innerRate: 0.1,
        order: 1,
      } as const;
      program.metaGradient(params, request, out);
    };
    for (let support = 65; support <= 80; support++) episode(support, 1);
    expect(memories).toBe(1);
    for (let innerSteps = 2; innerSteps <= 8; innerSteps++) episode(65, innerSteps);
    episode(65, 1);
    expect(memories).toBe(8);
    episode(65, 9); // the ninth takes the place of the one that was not used for longest
    episode(65, 1);
    expect(memories).toBe(9);
    episode(65, 2);
    expect(memories).toBe(10);
  });

  it('takes no memory beyond its limit, and says how much was wanted', () => {
    const params = initialise(model, 1);
    const program = compile(model, { batch: 4096, mostBytes: 64 * 1024 });
    let taken = 0;
    const counting = {
      ...jsBackend,
      createMemory: (floats: number) => {
        taken += floats;
        return jsBackend.createMemory(floats);
      },
    };
    const limited = compile(model, { batch: 4096, backend: counting, mostBytes: 64 * 1024 });
    for (const one of [program, limited]) {
      expect(one.arenaBytes).toBeGreaterThan(64 * 1024); // known without taking it
      expect(() => one.evaluate(params, examples)).toThrow(MemoryUnavailable);
      expect(() => one.trainer(params)).toThrow(/at most 65536 are allowed/);
    }
    expect(taken).toBe(0);
  });
});
