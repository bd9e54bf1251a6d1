import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import { initialise } from '../parameters/initialise.ts';
import { setStatistics } from '../parameters/statistics.ts';
import { compile } from '../program/compile.ts';
import { mlp } from '../testing/models.ts';
import { toyExamples } from '../testing/toy.ts';
import { adapt } from './adapt.ts';
import { trainAlone } from './alone.ts';
import { norm } from './clip.ts';
import type { LearningPlan, Update } from './contract.ts';
import { TrainingDiverged } from '../program/errors.ts';
import { TrainingStopped } from './errors.ts';
import { judge } from './judge.ts';
import { learn } from './learn.ts';
import { inputMoments } from './moments.ts';
import { splitSupport } from './split.ts';

const model = parseModel(mlp(6, 8, 3));
const program = compile(model, { batch: 8 });
const examples = toyExamples(36, 6, 3, 1);

const episodes = { innerSteps: 1, supportShares: [0.2, 0.5], maxQuery: 12 };
const plans: Record<string, LearningPlan> = {
  fedavg: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1 },
  reptile: { algorithm: 'reptile', steps: 6, batchSize: 8, rate: 0.1 },
  fomaml: { algorithm: 'fomaml', innerRate: 0.1, ...episodes },
  maml: { algorithm: 'maml', innerRate: 0.1, ...episodes },
  'meta-sgd': { algorithm: 'meta-sgd', initialRate: 0.1, ...episodes },
};
const start = () => initialise(model, 3, { learnedRates: 0.1 });

function run(plan: LearningPlan, seed = 1, params = start()): Update {
  return learn(program, params, examples, plan, { seed });
}

describe.each(Object.entries(plans))('learn: %s', (_, plan) => {
  it('gives the same update for the same seed, and another for another', () => {
    expect(run(plan, 4)).toEqual(run(plan, 4));
    expect(run(plan, 4).vector).not.toEqual(run(plan, 5).vector);
  });

  it('leaves the shared parameters as they are, and points downhill from them', () => {
    const params = start();
    const before = params.values.slice();
    const { vector } = run(plan, 1, params);
    expect(params.values).toEqual(before);
    expect(vector.length).toBe(params.layout.learnable.size);
    const moved = start();
    const { size } = moved.layout.weights;
    vector.forEach((step, i) => (moved.values[i] += (i < size ? 0.5 : 0) * step));
    expect(judge(program, moved, examples).loss).toBeLessThan(judge(program, params, examples).loss);
  });

  it('lowers the loss it reports', () => {
    const { metrics } = run(plan);
    expect(metrics.lossAfter).toBeLessThan(metrics.lossBefore);
    expect(metrics.countAfter).toBe(metrics.countBefore);
  });

  it('clips the update to a norm, and says so', () => {
    const whole = run(plan);
    const clipNorm = norm(whole.vector) / 2;
    const clipped = run({ ...plan, clipNorm });
    expect(norm(clipped.vector)).toBeCloseTo(clipNorm, 6);
    expect([whole.diagnostics.clipped, clipped.diagnostics.clipped]).toEqual([false, true]);
    expect(run({ ...plan, clipNorm: 4 * clipNorm }).vector).toEqual(whole.vector);
  });

  it('reports each step, and stops when asked', () => {
    const steps: number[] = [];
    const hooks = { seed: 1, onStep: (step: number) => steps.push(step), stop: () => steps.length === 1 };
    const learning = () => learn(program, start(), examples, plan, hooks);
    if (plan.algorithm === 'fedavg' || plan.algorithm === 'reptile')
      expect(learning).toThrow(TrainingStopped);
    else learning();
    expect(steps).toEqual([1]);
    expect(() => learn(program, start(), examples, plan, { seed: 1, stop: () => true })).toThrow(
      /after 0 steps/,
    );
  });

  it('refuses to go on with NaN, names the step and leaves the parameters', () => {
    const x = examples.x.slice().fill(NaN);
    const params = start();
    const before = params.values.slice();
    const learning = () => learn(program, params, { ...examples, x }, plan, { seed: 1 });
    expect(learning).toThrow(TrainingDiverged);
    expect(learning).toThrow(/step 1/);
    expect(params.values).toEqual(before);
  });

  it('keeps what is local out of the update', () => {
    const ir = mlp(6, 8, 3);
    ir.params[4].share = 'local';
    const local = parseModel(ir);
    const params = initialise(local, 3, { learnedRates: 0.1 });
    const { vector } = learn(compile(local, { batch: 8 }), params, examples, plan, { seed: 1 });
    for (const { name, offset, size, role } of params.layout.entries) {
      if (role === 'statistic') continue;
      const isZero = vector.subarray(offset, offset + size).every((value) => value === 0);
      if (name.endsWith('output/w')) expect(isZero).toBe(true);
      else if (role === 'weight') expect(isZero).toBe(false);
    }
  });
});

describe('learn', () => {
  it('weighs FedAvg by examples, everything else by person', () => {
    const weights = Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, run(plan).weight]));
    expect(weights).toEqual({ fedavg: 36, reptile: 1, fomaml: 1, maml: 1, 'meta-sgd': 1 });
  });

  it('learns a separable problem by FedAvg over people', () => {
    const params = initialise(model, 3);
    const people = [1, 2, 3, 4].map((seed) => toyExamples(30, 6, 3, seed));
    for (let round = 0; round < 10; round++) {
      const updates = people.map((own, i) =>
        learn(program, params, own, plans.fedavg, { seed: 10 * round + i }),
      );
      for (const { vector } of updates)
        vector.forEach((step, i) => (params.values[i] += step / updates.length));
    }
    const { correct, count } = judge(program, params, toyExamples(60, 6, 3, 99));
    expect(correct / count).toBeGreaterThan(0.95);
  });

  it('takes FOMAML for MAML where the inner rate is 0', () => {
    const still = { ...episodes, innerRate: 0 };
    const first = run({ algorithm: 'fomaml', ...still }).vector;
    const second = run({ algorithm: 'maml', ...still }).vector;
    second.forEach((value, i) => {
      expect(first[i]).toBeCloseTo(value, 6);
    });
  });

  it('judges at most as many query rows as the plan allows', () => {
    expect(run(plans.maml).metrics.countBefore).toBe(12);
    expect(run({ ...plans.maml, maxQuery: 100 } as LearningPlan).metrics.countBefore).toBe(18);
  });

  it('keeps the windows of one recording together when it draws an episode', () => {
    // Recording 2 alone is poisoned; where it is neither support nor query, nothing may be seen of it.
    const recording = Int32Array.from({ length: 36 }, (_, row) => Math.floor(row / 9));
    const x = examples.x.map((value, i) => (Math.floor(i / 6 / 9) === 2 ? NaN : value));
    const wholeQueries = { ...plans.maml, supportShares: [0.25], maxQuery: 100 } as LearningPlan;
    let clean = 0;
    for (let seed = 0; seed < 20; seed++) {
      try {
        const { metrics } = learn(program, start(), { ...examples, x, recording }, wholeQueries, { seed });
        expect(metrics.countBefore).toBe(18);
        clean++;
      } catch (error) {
        expect(error).toBeInstanceOf(TrainingDiverged);
      }
    }
    expect(clean).toBeGreaterThan(0); // one recording of four is support, two are query, one is left out
    expect(clean).toBeLessThan(20);
  });

  it('refuses meta-learning where nothing is left to judge on', () => {
    const few = toyExamples(3, 6, 3, 1); // one row a class: all support
    expect(() => learn(program, start(), few, plans.maml, { seed: 1 })).toThrow(/0 query rows/);
  });

  it('refuses Meta-SGD without learned rates', () => {
    expect(() => run(plans['meta-sgd'], 1, initialise(model, 3))).toThrow(/carry none/);
  });

  it('calls a loss that explodes in the inner steps divergence', () => {
    const wild = { algorithm: 'maml', ...episodes, innerSteps: 3, innerRate: 1e38 } as const;
    expect(() => run(wild)).toThrow(TrainingDiverged);
  });
});

describe('adapt', () => {
  it('goes on where it stopped: 2 steps and then 3 are 5', () => {
    const once = adapt(program, start(), examples, { steps: 5, rate: 0.1 });
    const first = adapt(program, start(), examples, { steps: 2, rate: 0.1 });
    expect(adapt(program, first, examples, { steps: 3, rate: 0.1 }).values).toEqual(once.values);
  });

  it('lowers the loss and leaves what it started from', () => {
    const params = start();
    const personal = adapt(program, params, examples, { steps: 10, rate: 0.2 });
    expect(judge(program, personal, examples).loss).toBeLessThan(judge(program, params, examples).loss);
    expect(params.values).toEqual(start().values);
  });

  it('uses a learned rate for each weight', () => {
    const params = start();
    const { rates, weights } = params.layout;
    const [, last] = [rates.offset, weights.size - 1];
    params.values[rates.offset + last] = 0;
    const learned = adapt(program, params, examples, { steps: 1, rate: 'learned' });
    const fixed = adapt(program, params, examples, { steps: 1, rate: params.values[rates.offset] });
    expect(learned.values[last]).toBe(params.values[last]);
    expect(learned.values.subarray(0, last)).toEqual(fixed.values.subarray(0, last));
  });

  it('moves only the groups that the model says adapt', () => {
    const head = parseModel({ ...mlp(6, 8, 3), meta: { adapt: ['head'] } });
    const params = initialise(head, 3);
    const personal = adapt(compile(head, { batch: 8 }), params, examples, { steps: 2, rate: 0.1 });
    const body = 6 * 8 + 8;
    expect(personal.values.subarray(0, body)).toEqual(params.values.subarray(0, body));
    expect(personal.values.subarray(body)).not.toEqual(params.values.subarray(body));
  });

  it('refuses to give a model of NaN', () => {
    expect(() => adapt(program, start(), examples, { steps: 3, rate: 1e38 })).toThrow(TrainingDiverged);
  });

  it('agrees with the inner loop of the meta-program', () => {
    const params = start();
    const out = new Float32Array(params.layout.learnable.size);
    const request = { support: examples, query: examples, innerSteps: 3, innerRate: 0.2, order: 1 } as const;
    const { after } = program.metaGradient(params, request, out);
    const personal = adapt(program, params, examples, { steps: 3, rate: 0.2 });
    expect(judge(program, personal, examples).loss).toBeCloseTo(after.loss, 4);
  });
});

describe('trainAlone', () => {
  it('learns from fresh weights under the statistics of others', () => {
    const shared = start();
    setStatistics(shared, inputMoments(model, examples));
    const own = trainAlone(program, 5, shared, examples, { steps: 60, rate: 0.02 });
    expect(own.layout.rates.size).toBe(0);
    const { offset } = own.layout.statistics;
    expect(own.values.subarray(offset)).toEqual(shared.values.subarray(shared.layout.statistics.offset));
    expect(judge(program, own, examples).correct).toBe(36);
  });

  it('takes a first step of the rate in each weight, as Adam does', () => {
    const own = trainAlone(program, 5, start(), examples, { steps: 1, rate: 0.01 });
    const fresh = initialise(model, 5);
    for (let i = 0; i < fresh.layout.weights.size; i++)
      expect(Math.abs(own.values[i] - fresh.values[i])).toBeCloseTo(0.01, 4);
  });
});

describe('inputMoments', () => {
  it('averages each channel over rows and time', () => {
    const { mean, meanOfSquares, count } = inputMoments(parseModel(mlp(2, 3, 2)), {
      x: Float32Array.of(1, 2, 3, 6),
      y: Int32Array.of(0, 1),
      count: 2,
    });
    expect([...mean, ...meanOfSquares, count]).toEqual([2, 4, 5, 20, 2]);
  });
});

describe('splitSupport', () => {
  const rows = (n: number) => ({ x: Float32Array.from({ length: n }, (_, i) => i), count: n });

  it('cuts any number of rows into whole rows', () => {
    for (const count of [3, 49, 98, 103, 161, 249]) {
      const x = Float32Array.from({ length: 3 * count }, (_, i) => i);
      const y = new Int32Array(count);
      const { support, query } = splitSupport({ x, y, count }, 1, 0.5);
      expect(support.count + query.count).toBe(count);
      expect([...support.x, ...query.x]).toEqual([...x]);
    }
  });

  it('refuses arrays with room to spare, whose rows it could not tell', () => {
    const examples = { x: new Float32Array(21), y: new Int32Array(8), count: 8 };
    expect(() => splitSupport(examples, 1, 0.5)).toThrow(/without spare room/);
  });

  it('takes the first rows of each class as support and its second half as query', () => {
    const y = Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1);
    const { support, query } = splitSupport({ ...rows(14), y }, 2, 0.2);
    expect([...support.x]).toEqual([0, 1, 10]);
    expect([...query.x]).toEqual([5, 6, 7, 8, 9, 12, 13]);
    expect([...query.y]).toEqual([0, 0, 0, 0, 0, 1, 1]);
  });

  it('cuts between recordings where there are any', () => {
    const recording = Int32Array.of(0, 0, 0, 1, 1, 2, 2, 3, 4, 4);
    const { support, query } = splitSupport({ ...rows(10), y: new Int32Array(10), recording }, 1, 0.4);
    expect([...support.x]).toEqual([0, 1, 2, 3, 4]);
    expect([...query.x]).toEqual([7, 8, 9]);
  });

  it('gives the same query for every share, and no row to both', () => {
    const one = splitSupport(examples, model, 0.05);
    const half = splitSupport(examples, model, 0.5);
    expect(one.query).toEqual(half.query);
    expect(half.support.count + half.query.count).toBe(36);
  });

  it.each([0, -0.1, 0.51, NaN])('refuses the share %s', (share) => {
    expect(() => splitSupport(examples, model, share)).toThrow(RangeError);
  });
});
