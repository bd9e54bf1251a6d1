import { applyOptimiser, initialState, pseudoGradient, WeightedSum } from '@starling/aggregation';
import {
  compile,
  inputMoments,
  learn,
  setStatistics,
  stream,
  trustedBackend,
  type Examples,
  type Model,
  type ParameterLayout,
  type Params,
  type RandomStream,
  type Update,
} from '@starling/model';
import type { Checkpoint } from './checkpoints.ts';
import { JobRefused, type WarmStart } from './job.ts';

export interface WarmStartHooks {
  readonly seed: number;
  /** After each round, with the mean loss a row over its people, before and after they trained. */
  readonly onRound: (report: {
    round: number;
    people: number;
    lossBefore: number;
    lossAfter: number;
  }) => void;
  /** Called after every `checkpointEvery` rounds, and after the last. */
  readonly keep: (checkpoint: Checkpoint) => Promise<void>;
}

/** The fixed point of a plan that names none: the server sums what devices send in the same integers. */
const block = { name: 'update', scaleBits: 24, clip: 64, weighted: true, limbs: 1 } as const;
/** As in a plan that names none: one person's examples count up to so many. */
const maxWeight = 4096;

/**
 * Federated rounds over proxy people in one process: each learns as a device would, the exact mean of their updates is
 * the server's pseudo-gradient (Reddi et al. 2021). Statistics of the inputs are taken over all people first when the model
 * standardises and has none. Draws are those of cluster/, so both learn the same but for rounding. The same seed, people and start give the same bits, whether or not it was broken off between.
 * @throws TrainingDiverged, ExamplesMismatch
 */
export async function warmStart(
  model: Model,
  start: Params,
  people: ReadonlyMap<string, Examples>,
  { rounds, cohort: { goal }, learning, optimiser, checkpointEvery }: WarmStart,
  { seed, onRound, keep }: WarmStartHooks,
  from?: Checkpoint,
): Promise<Params> {
  const batch = 'batchSize' in learning ? learning.batchSize : 32;
  const program = compile(model, { batch, backend: trustedBackend() });
  const { layout } = start;
  const { size } = layout.learnable;
  const names = [...people.keys()];
  if (goal > names.length)
    throw new JobRefused(
      'job-invalid',
      `A cohort of ${goal} was asked for; there are ${names.length} people to learn from.`,
    );
  let values = Float32Array.from(from?.values ?? start.values);
  let state = from?.optimiser ?? initialState;
  if (!from && lacksStatistics(layout, values)) standardise(model, { layout, values }, [...people.values()]);
  for (let round = (from?.round ?? 0) + 1; round <= rounds; round++) {
    const cohort = draw(names, goal, stream(seed, `cohort/${round}`));
    const sum = new WeightedSum([{ ...block, size }], { maxWeight });
    const metrics = { lossBefore: 0, countBefore: 0, lossAfter: 0, countAfter: 0 };
    for (const name of cohort) {
      const update = learn(program, { layout, values }, people.get(name)!, learning, {
        seed: stream(seed, `learn/${round}/${name}`).nextUint32(),
      });
      sum.add({ blocks: [update.vector], weight: Math.min(update.weight, maxWeight) });
      add(metrics, update);
    }
    const step = applyOptimiser(
      values.subarray(0, size),
      pseudoGradient(sum.mean(block.name)),
      state,
      optimiser,
      { round, rounds },
    );
    values = Float32Array.from(values);
    values.set(step.parameters);
    state = step.state;
    onRound({
      round,
      people: cohort.length,
      lossBefore: metrics.lossBefore / Math.max(1, metrics.countBefore),
      lossAfter: metrics.lossAfter / Math.max(1, metrics.countAfter),
    });
    if (round % checkpointEvery === 0 || round === rounds) await keep({ round, values, optimiser: state });
  }
  return { layout, values };
}

/** Whether the model standardises its inputs by what nobody has measured yet: mean 0, deviation 1. */
function lacksStatistics({ entries }: ParameterLayout, values: Float32Array): boolean {
  const statistics = entries.filter(({ role }) => role === 'statistic');
  const untouched = statistics.every(({ statistic, offset, size }) =>
    values.subarray(offset, offset + size).every((value) => value === (statistic === 'mean' ? 0 : 1)),
  );
  return statistics.length > 0 && untouched;
}

/** The inputs' mean and spread over all rows of all people, as a statistics round of devices finds them. */
function standardise(model: Model, params: Params, people: readonly Examples[]): void {
  const channels = params.layout.statistics.size / 2;
  const mean = new Float64Array(channels);
  const meanOfSquares = new Float64Array(channels);
  let rows = 0;
  for (const examples of people) {
    const moments = inputMoments(model, examples);
    rows += moments.count;
    for (let channel = 0; channel < channels; channel++) {
      mean[channel]! += moments.count * moments.mean[channel]!;
      meanOfSquares[channel]! += moments.count * moments.meanOfSquares[channel]!;
    }
  }
  setStatistics(params, {
    mean: mean.map((sum) => sum / rows),
    meanOfSquares: meanOfSquares.map((sum) => sum / rows),
  });
}

/** `count` of the names, without replacement. */
function draw(names: readonly string[], count: number, random: RandomStream): string[] {
  const order = Array.from(names.keys());
  random.shuffle(order);
  return order.slice(0, count).map((index) => names[index]!);
}

function add(
  totals: { lossBefore: number; countBefore: number; lossAfter: number; countAfter: number },
  { metrics }: Update,
): void {
  for (const name of ['lossBefore', 'countBefore', 'lossAfter', 'countAfter'] as const)
    totals[name] += metrics[name];
}
