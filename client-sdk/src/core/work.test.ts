import {
  adapt,
  compile,
  trustedBackend,
  judge,
  layoutOf,
  learn,
  parseModel,
  splitSupport,
  trainAlone,
} from '@starling/model';
import {
  evaluationPoints,
  evaluationWidth,
  readSafetensors,
  readWeights,
  trainingMetrics,
  type Assignment,
  type EvaluationSpec,
  type LearningPlan,
  type UpdateBlock,
} from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import type { FetchedModel } from './ports.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';
import { tinyExamples, tinyFetched, tinyIr, tinySize } from './testing/tiny-model.ts';
import { Workbench } from './work.ts';

const examples = tinyExamples();
const program = compile(parseModel(tinyIr), { batch: 32, backend: trustedBackend() });
const sharedOf = ({ weights, learnedRates }: FetchedModel) => {
  const layout = layoutOf(program.model, { learnedRates });
  return { layout, values: readWeights(layout, weights) };
};
const metricsBlock = (size: number): UpdateBlock => ({
  name: 'metrics', size, scaleBits: 20, clip: 2 ** 20, weighted: false, limbs: 1,
}); // prettier-ignore

function contribute(changes: Partial<Assignment>, model = tinyFetched()) {
  const assignment = tinyAssignment(changes);
  const { bytes } = new Workbench(() => 0).run({ kind: 'contribute', model, assignment, examples });
  const { tensors } = readSafetensors(bytes);
  const values = (name: string) => [...(tensors.get(name)?.data ?? [])].map(Number);
  return { values, weight: values('weight')[0], names: [...tensors.keys()].sort() };
}

describe('training', () => {
  it('contributes what learning gives, in the blocks of the assignment', () => {
    const assignment = tinyAssignment();
    if (assignment.work.kind !== 'training') throw new Error('a training assignment is expected');
    const small = compile(parseModel(tinyIr), { batch: 4, backend: trustedBackend() });
    const update = learn(small, sharedOf(tinyFetched()), examples, assignment.work.learning, { seed: 11 });
    const { values, weight, names } = contribute({});
    expect(names).toEqual(['metrics', 'parameters', 'weight']);
    expect(values('parameters')).toEqual([...update.vector]);
    expect(values('metrics')).toEqual(trainingMetrics.map((name) => update.metrics[name]));
    expect(weight).toBe(24);
  });

  it('puts the update on the grid without bias where its block says so', () => {
    const [parameters, ...others] = tinyAssignment().blocks;
    const coarse: UpdateBlock = { ...parameters!, scaleBits: 6, clip: 4, rounding: 'stochastic' };
    const exact = contribute({}).values('parameters');
    const { values } = contribute({ blocks: [coarse, ...others] });
    const rounded = values('parameters');
    expect(rounded.every((value) => Number.isInteger(value * 64))).toBe(true);
    rounded.forEach((value, at) => {
      expect(Math.abs(value - exact[at]!)).toBeLessThan(1 / 64);
    });
    expect(rounded).not.toEqual(exact.map((value) => Math.round(value * 64) / 64));
  });

  it('weighs at most what the plan allows', () => {
    expect(contribute({ maxWeight: 5 }).weight).toBe(5);
  });

  it('splits learned rates from parameters', () => {
    const [parameters, metrics] = tinyAssignment().blocks;
    const learning: LearningPlan = {
      algorithm: 'meta-sgd', innerSteps: 1, initialRate: 0.1, supportShares: [0.5], maxQuery: 8,
    }; // prettier-ignore
    const { values, weight } = contribute(
      {
        work: { kind: 'training', learning },
        blocks: [parameters!, { ...parameters!, name: 'rates' }, metrics!],
      },
      tinyFetched({ learnedRates: 0.1 }),
    );
    const update = learn(program, sharedOf(tinyFetched({ learnedRates: 0.1 })), examples, learning, {
      seed: 11,
    });
    expect(values('parameters')).toEqual([...update.vector.subarray(0, tinySize)]);
    expect(values('rates')).toEqual([...update.vector.subarray(tinySize)]);
    expect(weight).toBe(1);
  });

  it('gives the same bytes for the same seed, and others for another', () => {
    const bytesOf = (seed: number) => contribute({ seed }).values('parameters');
    expect(bytesOf(1)).toEqual(bytesOf(1));
    expect(bytesOf(1)).not.toEqual(bytesOf(2));
  });

  it('refuses values that the round cannot carry', () => {
    const blocks = tinyAssignment().blocks.map((block) => ({ ...block, clip: 1e-6 }));
    expect(() => contribute({ blocks })).toThrow(expect.objectContaining({ code: 'update-out-of-range' }));
  });

  it('refuses blocks of another model', () => {
    const blocks = tinyAssignment().blocks.map((block) => ({ ...block, size: block.size + 1 }));
    expect(() => contribute({ blocks })).toThrow(expect.objectContaining({ code: 'update-wrong-shape' }));
  });

  it('says that training diverged', () => {
    const huge = { ...examples, x: examples.x.map((value) => value * 1e38) };
    const job = {
      kind: 'contribute',
      model: tinyFetched(),
      assignment: tinyAssignment(),
      examples: huge,
    } as const;
    expect(() => new Workbench(() => 0).run(job)).toThrow(
      expect.objectContaining({ code: 'training-diverged' }),
    );
  });
});

describe('statistics', () => {
  it('contributes the moments of each channel, weighted by rows', () => {
    const block: UpdateBlock = {
      name: 'moments', size: 4, scaleBits: 39, clip: 2 ** 37, weighted: true, limbs: 3,
    }; // prettier-ignore
    const { values, weight } = contribute({ work: { kind: 'statistics' }, blocks: [block] });
    const mean = (f: (value: number) => number, channel: number) =>
      [...examples.x].filter((_, i) => i % 2 === channel).reduce((sum, value) => sum + f(value), 0) / 24;
    const square = (value: number) => value * value;
    const identity = (value: number) => value;
    const wanted = [mean(identity, 0), mean(identity, 1), mean(square, 0), mean(square, 1)];
    values('moments').forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i]!, 10);
    });
    expect(weight).toBe(24);
  });
});

describe('evaluation', () => {
  const evaluated = (spec: EvaluationSpec) => {
    const size = evaluationPoints(spec).length * evaluationWidth;
    const { values, weight } = contribute({
      work: { kind: 'evaluation', spec },
      blocks: [metricsBlock(size)],
    });
    expect(weight).toBe(1);
    const metrics = values('metrics');
    return evaluationPoints(spec).map((point, i) => {
      const [accuracy, loss, ...bins] = metrics.slice(i * evaluationWidth, (i + 1) * evaluationWidth);
      return { ...point, accuracy: accuracy!, loss: loss!, bins };
    });
  };
  const spec: EvaluationSpec = {
    goal: 1, minimum: 1, supportShares: [0.5, 0.25], steps: [5, 1, 20], rate: 0.5,
  }; // prettier-ignore

  it('judges after each number of steps as if each had been taken from the start', () => {
    for (const { supportShare, steps, accuracy, loss } of evaluated(spec)) {
      const shared = sharedOf(tinyFetched());
      const { support, query } = splitSupport(examples, 2, supportShare);
      const judged = judge(program, adapt(program, shared, support, { steps, rate: 0.5 }), query);
      expect(accuracy).toBe(judged.correct / judged.count);
      expect(loss).toBe(judged.loss / judged.count);
    }
  });

  it('marks one bin of the accuracy', () => {
    for (const { accuracy, bins } of evaluated(spec)) {
      expect(bins).toHaveLength(100);
      expect(bins.reduce((sum, value) => sum + value)).toBe(1);
      expect(bins[Math.min(99, Math.floor(accuracy * 100))]).toBe(1);
    }
  });

  it('trains from fresh weights on the support alone when asked to', () => {
    const alone = { steps: [10, 3], rate: 0.05 };
    for (const { supportShare, steps, loss } of evaluated({ ...spec, alone })) {
      const shared = sharedOf(tinyFetched());
      const { support, query } = splitSupport(examples, 2, supportShare);
      const params = trainAlone(program, 11, shared, support, { steps, rate: 0.05 });
      const judged = judge(program, params, query);
      expect(loss).toBe(judged.loss / judged.count);
    }
  });
});
