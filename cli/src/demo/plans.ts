import type { EvaluationSpec, Plan } from '@starling/protocol';
import type { Algorithm } from './options.ts';

/**
 * Plans for the two shapes of data that the demo knows, with the hyper-parameters that were chosen on the
 * development fold (fold 0, which is never reported): rows of features from wisdm-watch, raw windows from
 * wrist-spsw. docs/demo.md has the figures.
 */
export interface Settings {
  cohort: number;
  /** Default rounds, for a demo of about two minutes; the baselines' protocol takes 200 / 400 and 100 / 200. */
  rounds: { federated: number; meta: number };
  epochs: number;
  batchSize: number;
  localRate: number;
  /** Rate of the server's SGD in FedAvg. With few devices one round moves the mean a lot: a falling rate calms the end. */
  serverRate: number | { from: number; to: number };
  fineTuneRate: number;
  innerRate: number;
  innerSteps: { fomaml: number; maml: number; 'meta-sgd': number };
  /** Rate of the server's Adam, from the first round to the last. */
  metaRate: { from: number; to: number };
  maxQuery: number;
  alone: { steps: number; rate: number };
}

export const featureRows: Settings = {
  cohort: 10,
  rounds: { federated: 60, meta: 120 },
  epochs: 1,
  batchSize: 32,
  localRate: 0.1,
  serverRate: 1,
  fineTuneRate: 0.2,
  innerRate: 0.1,
  innerSteps: { fomaml: 5, maml: 1, 'meta-sgd': 1 },
  metaRate: { from: 0.006, to: 0.0003 },
  maxQuery: 256,
  alone: { steps: 200, rate: 0.001 },
};

export const rawWindows: Settings = {
  cohort: 8,
  rounds: { federated: 30, meta: 60 },
  epochs: 1,
  batchSize: 16,
  localRate: 0.05,
  serverRate: { from: 1, to: 0.1 },
  fineTuneRate: 0.02,
  innerRate: 0.02,
  innerSteps: { fomaml: 3, maml: 1, 'meta-sgd': 1 },
  metaRate: { from: 0.001, to: 0.001 },
  maxQuery: 96,
  alone: { steps: 100, rate: 0.001 },
};

/** Support shares of a training device: one is drawn for each contribution. */
const trainingShares = [0.2, 0.3, 0.5];
/** Windows are long: on one machine with all devices present nothing is late, so that the same seed gives the same figures. */
const windows = { selectingMs: 120_000, trainingMs: 300_000, aggregatingMs: 120_000 };
/** Where devices are killed: some that are away come back in time, some do not. */
const killWindows = { selectingMs: 20_000, trainingMs: 30_000, aggregatingMs: 30_000 };

export function isMeta(algorithm: Algorithm): boolean {
  return algorithm !== 'fedavg';
}

export function planFor(
  algorithm: Algorithm,
  settings: Settings,
  fleet: { training: number; seed: number; standardises: boolean; secure: boolean; kill: number },
): Plan {
  const goal = Math.min(settings.cohort, fleet.training);
  /** With devices that are killed, half is enough: a round goes on with those that came. */
  const least = (devices: number) =>
    fleet.kill > 0 ? Math.max(Math.min(smallestGroup, devices), Math.ceil(devices / 2)) : devices;
  const rounds = isMeta(algorithm) ? settings.rounds.meta : settings.rounds.federated;
  return {
    learning: learningOf(algorithm, settings),
    optimiser: optimiserOf(algorithm, settings),
    rounds,
    cohort: { goal, minimum: least(goal), overSelection: 1, select: { split: 'train' } },
    ...(fleet.standardises && {
      statistics: { goal: fleet.training, minimum: least(fleet.training), select: { split: 'train' } },
    }),
    windows: fleet.kill > 0 ? killWindows : windows,
    adaptation: { steps: 5, rate: algorithm === 'meta-sgd' ? 'learned' : settings.fineTuneRate },
    maxWeight: 4096,
    ...(fleet.secure && { secure: secureFor(goal) }),
    seed: fleet.seed,
  };
}

/** A group is a cohort, so that each round is one sum. Three: the fewest that SA-1 sums, and as few as a small fleet has held out. */
const smallestGroup = 3;

export function secureFor(cohort: number): NonNullable<Plan['secure']> {
  return { groupSize: { target: Math.max(smallestGroup, cohort), minimum: smallestGroup }, ring: 32 };
}

function learningOf(algorithm: Algorithm, settings: Settings): Plan['learning'] {
  const { batchSize, localRate: rate, innerRate, maxQuery } = settings;
  const episode = { supportShares: trainingShares, maxQuery };
  switch (algorithm) {
    case 'fedavg':
      return { algorithm, epochs: settings.epochs, batchSize, rate };
    case 'reptile':
      return { algorithm, steps: 10, batchSize, rate };
    case 'fomaml':
    case 'maml':
      return { algorithm, innerSteps: settings.innerSteps[algorithm], innerRate, ...episode };
    case 'meta-sgd':
      return { algorithm, innerSteps: settings.innerSteps[algorithm], initialRate: innerRate, ...episode };
  }
}

function optimiserOf(algorithm: Algorithm, settings: Settings): Plan['optimiser'] {
  switch (algorithm) {
    case 'fedavg':
      return { kind: 'sgd', rate: settings.serverRate };
    case 'reptile':
      return { kind: 'sgd', rate: { from: 1, to: 0.1 } };
    default:
      return { kind: 'adam', rate: settings.metaRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  }
}

/** Shares of a held-out user's data to adapt on; the query half is the same for both. */
export const supportShares = [0.2, 0.5];
export const adaptationSteps = [1, 5, 10, 20];

/** The final judgement of a trained model on the held-out users. */
export function evaluationFor(algorithm: Algorithm, settings: Settings, heldOut: number): EvaluationSpec {
  return {
    goal: heldOut,
    minimum: heldOut,
    select: { split: 'held-out' },
    supportShares,
    steps: adaptationSteps,
    rate: algorithm === 'meta-sgd' ? 'learned' : settings.fineTuneRate,
  };
}

/** The baseline of training on a user's own data alone, from fresh weights (Adam, full batch). */
export function aloneEvaluation(settings: Settings, heldOut: number): EvaluationSpec {
  const { steps, rate } = settings.alone;
  return {
    ...evaluationFor('fedavg', settings, heldOut),
    alone: { steps: [1, 5, 20, steps].sort((a, b) => a - b), rate },
  };
}
