import { parseModel } from '@starling/model';
import type { CloudWork, EvaluationMetrics, Plan, TrainingMetrics } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { smallPack } from '../data/testing/small-pack.ts';
import { idealFleet, phonesAtNight, readFleetModel, type FleetModel } from './fleet-model.ts';
import { patternsFor } from './pattern-examples.ts';
import type { PopulationOrder } from './population.ts';
import { simulate, type Simulation, type SimulationOptions } from './simulate.ts';

const minuteMs = 60_000;
const model = parseModel({
  umir: 1,
  opset: 1,
  name: 'small',
  inputs: [
    { id: 'x', shape: ['B', 8] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 3 },
  ],
  params: [
    { id: 'mean', shape: [8], init: { kind: 'inputMean' } },
    { id: 'sd', shape: [8], init: { kind: 'inputInverseSd' } },
    { id: 'w', shape: [8, 3], init: { kind: 'uniform', fan: 8 } },
    { id: 'b', shape: [3], init: { kind: 'zeros' } },
  ],
  nodes: [
    { op: 'standardise', in: ['x', 'mean', 'sd'], out: 'scaled' },
    { op: 'dense', in: ['scaled', 'w', 'b'], out: 'logits' },
  ],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  metrics: ['accuracy'],
});
const plan: Plan = {
  learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.2 },
  optimiser: { kind: 'adam', rate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  rounds: 6,
  cohort: { goal: 10, minimum: 5, overSelection: 1.3 },
  statistics: { goal: 20, minimum: 10 },
  windows: { selectingMs: 30 * minuteMs, trainingMs: minuteMs, aggregatingMs: minuteMs },
  evaluation: {
    everyRounds: 3,
    spec: { goal: 8, minimum: 3, supportShares: [0.5], steps: [1, 5], rate: 0.2 },
  },
  adaptation: { steps: 5, rate: 0.2 },
  maxWeight: 4096,
  seed: 3,
};

function patterns(devices: number, heldOut: number): PopulationOrder {
  return { kind: 'patterns', devices, heldOut, patterns: patternsFor(model, 5, 24) };
}

function run(changes: Partial<SimulationOptions> = {}): Promise<Simulation> {
  return simulate({
    ...{
      model,
      plan,
      population: patterns(60, 12),
      fleet: phonesAtNight,
      seed: 9,
      threads: 1,
      isTraining: true,
    },
    ...changes,
  });
}

describe('a simulation', () => {
  it('gives the same report and the same bits on 1, 2 and 4 threads', async () => {
    const [one, two, four] = await Promise.all([1, 2, 4].map((threads) => run({ threads })));
    expect(one!.report.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(two!.report).toEqual(one!.report);
    expect(four!.report).toEqual(one!.report);
    expect(four!.params.values).toEqual(one!.params.values);
  });

  it('learns, and gains from adapting on people who never trained', async () => {
    const { report } = await run({ plan: { ...plan, rounds: 20 }, fleet: idealFleet });
    const training = report.rounds.filter(({ kind }) => kind === 'training');
    const [first, last] = [training[0], training.at(-1)].map((round) => round?.metrics as TrainingMetrics);
    expect(training).toHaveLength(20);
    expect(last!.lossBefore).toBeLessThan(first!.lossBefore);
    expect(report.rounds.map(({ kind }) => kind).slice(0, 5)).toEqual([
      ...['statistics', 'training', 'training', 'training', 'evaluation'],
    ]);
    expect(report.final?.devices).toBe(12);
    const [before, , after] = (report.final as EvaluationMetrics).results;
    expect(after!.loss).toBeLessThan(before!.loss);
  });

  it('forecasts the time, the bytes and the drop-outs of the very run, without training', async () => {
    const [trained, forecast] = await Promise.all([run(), run({ isTraining: false })]);
    expect(forecast.report.forecast).toEqual(trained.report.forecast);
    expect(forecast.report).toMatchObject({ digest: null, final: null });
    const { dropped, rounds, virtualMs } = forecast.report.forecast;
    expect(rounds.published).toBe(1 + 6 + 2);
    expect(dropped.declined).toBeGreaterThan(0);
    expect(virtualMs).toBeGreaterThan(0);
  });

  it('does other things with another seed of the fleet', async () => {
    const [one, other] = await Promise.all([
      run({ isTraining: false }),
      run({ isTraining: false, seed: 10 }),
    ]);
    expect(other.report.forecast).not.toEqual(one.report.forecast);
  });

  it('publishes under masks what it publishes in the clear', async () => {
    const wholeCohort = { ...plan, cohort: { goal: 10, minimum: 10, overSelection: 1 } };
    const secure = { groupSize: { target: 5, minimum: 3 }, ring: 32 } as const;
    const [clear, masked] = await Promise.all([
      run({ fleet: idealFleet, plan: wholeCohort }),
      run({ fleet: idealFleet, plan: { ...wholeCohort, secure } }),
    ]);
    expect(
      masked.report.rounds.every(({ outcome, groups }) => outcome === 'published' && groups.summed > 0),
    ).toBe(true);
    expect(masked.report.digest).toBe(clear.report.digest);
    expect(masked.report.final).toEqual(clear.report.final);
  });

  it('counts devices whose training fails, with the reason, and goes on without them', async () => {
    const tooFast = { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 1000 } as const;
    const encoding = { scaleBits: 10, clip: 0.0001 };
    const { report } = await run({
      fleet: idealFleet,
      plan: {
        ...plan,
        learning: tooFast,
        encoding,
        rounds: 1,
        cohort: { goal: 5, minimum: 1, overSelection: 1 },
      },
    });
    expect(report.outcome).toBe('stalled');
    const failures = report.rounds.find(({ kind }) => kind === 'training')?.failures ?? {};
    expect(Object.keys(failures)).toEqual(['update-out-of-range']);
    expect(report.forecast.dropped['training-failed']).toBe(5 * report.forecast.rounds.abandoned);
  });

  describe('of a hybrid plan', () => {
    const people = ['ann', 'bob', 'eve'];
    const rows = Array.from({ length: 36 }, (_, row) => row);
    const values = rows.flatMap((row) => Array.from({ length: 8 }, (_, i) => Math.sin(row + 8 * i)));
    const pack = smallPack({
      classes: ['a', 'b', 'c'],
      users: people.map((id) => ({ id, count: 12 })),
      arrays: [
        { name: 'x', dtype: 'float32', shape: [36, 8], values },
        { name: 'y', dtype: 'uint8', shape: [36], values: rows.map((row) => row % 3) },
      ],
    });
    const dataSets = new Map([['proxy', pack]]);
    const training = { ...plan.learning, rounds: 3, cohort: { goal: 2 }, optimiser: plan.optimiser };
    const work: CloudWork = {
      ...{ kind: 'warm-start', framework: 'embedded', data: 'proxy', device: 'cpu', seed: 4 },
      ...{ workers: 1, cpusPerWorker: 1, devicesPerWorker: 0, wallSeconds: 60 },
      training,
    };
    const hybrid = (changes: Partial<CloudWork> = {}): Plan => ({
      ...plan,
      hybrid: { everyRounds: 2, work: { ...work, ...changes } },
    });

    it('takes its steps between rounds of devices, the same on any number of threads', async () => {
      const [one, two, plain] = await Promise.all([
        run({ plan: hybrid(), dataSets }),
        run({ plan: hybrid(), dataSets, threads: 2 }),
        run(),
      ]);
      expect(two.report).toEqual(one.report);
      expect(one.report.steps.map(({ after }) => after)).toEqual([2, 4]);
      expect(one.report.steps[0]?.metrics).toMatchObject({ round: 3, people: 3 });
      expect(one.report.digest).not.toBe(plain.report.digest);
    });

    it('says in a forecast when it takes them', async () => {
      const { report } = await run({ plan: hybrid(), isTraining: false });
      expect(report.steps).toEqual([
        { after: 2, metrics: null },
        { after: 4, metrics: null },
      ]);
    });

    it.each<[string, Partial<CloudWork>, string]>([
      ['a kind that our engine has not', { kind: 'distil' }, 'simulation-unsupported'],
      ['another framework', { framework: 'torch' }, 'simulation-unsupported'],
      ['a data set that is not there', { data: 'other' }, 'simulation-invalid'],
      ['people who are not in it', { users: ['max'] }, 'simulation-invalid'],
      ['settings that are malformed', { training: { rounds: 0 } }, 'simulation-invalid'],
      [
        'more people than there are, where a server would pause',
        { training: { ...training, cohort: { goal: 9 } } },
        'simulation-step-failed',
      ],
    ])('refuses %s', async (_, changes, code) => {
      await expect(run({ plan: hybrid(changes), dataSets })).rejects.toMatchObject({ code });
    });
  });

  it('says so when round after round is abandoned', async () => {
    const nobody: FleetModel = { ...idealFleet, classes: [{ ...idealFleet.classes[0]!, dropOut: 1 }] };
    const { report } = await run({ fleet: nobody, isTraining: false });
    expect(report).toMatchObject({
      outcome: 'stalled',
      forecast: { rounds: { published: 0, abandoned: 50 } },
    });
  });

  it('asks nobody twice before all others when the plan draws without replacement', async () => {
    const cohort = { goal: 10, minimum: 10, overSelection: 1, withoutReplacement: true };
    const { report } = await run({
      ...{ fleet: idealFleet, isTraining: false },
      plan: { ...plan, cohort, quota: { roundsPerDay: 1 } },
    });
    // six rounds of ten among sixty, each device once a day: it comes out even; the statistics took twenty of them that day
    expect(report.forecast.rounds.published).toBeGreaterThan(0);
    expect(
      report.rounds
        .filter(({ kind }) => kind === 'training')
        .slice(0, 4)
        .every(({ counted }) => counted === 10),
    ).toBe(true);
    expect(
      report.rounds.filter(({ kind, outcome }) => kind === 'training' && outcome !== 'published').length,
    ).toBeGreaterThan(0);
  });

  it.each([
    ['no device has', { cohort: { ...plan.cohort, select: { platform: 'web' } } }, 'simulation-unsupported'],
    ['that are too few', { cohort: { ...plan.cohort, goal: 90, minimum: 90 } }, 'simulation-too-few-devices'],
    ['that does not fit', { adaptation: { steps: 1, rate: 'learned' as const } }, 'simulation-invalid'],
  ])('refuses a plan for devices %s', async (_, changes, code) => {
    await expect(run({ plan: { ...plan, ...changes } })).rejects.toMatchObject({ code });
  });
});

describe('a fleet model', () => {
  it('is refused when no device is ever there, and when it is malformed', () => {
    const never = { ...idealFleet, availability: new Array<number>(24).fill(0) };
    expect(() => readFleetModel(never)).toThrow('never available');
    expect(() => readFleetModel({ ...idealFleet, classes: [] })).toThrow('/classes');
  });
});
