import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Plan, TrainingMetrics } from '@starling/protocol';
import { writeFedpack } from '@starling/simulator';
import {
  idealFleet,
  patternExamples,
  patternsFor,
  simulate,
  type PopulationOrder,
} from '@starling/simulator/simulation';
import type { CaseOptions, Cases } from '../benches.ts';
import type { Report } from '../lines.ts';
import { median } from '../statistics.ts';
import { zooModel } from '../workloads.ts';
import { row, verdict } from './rows.ts';

const script = fileURLToPath(new URL('../../contenders/flower_simulation.py', import.meta.url));
const model = zooModel('sensor-cnn');
const [devices, batch, rate] = [1_000, 10, 0.05];
/** Both count the rounds after the first, in which actors start and programs are compiled. */
const warmUp = 1;
const threads = Math.min(2, availableParallelism());

/** `rows` of each device, and `cohort` devices in each of `rounds` rounds. */
interface Rounds {
  readonly name: string;
  readonly rows: number;
  readonly cohort: number;
  readonly rounds: number;
}
const tenth = { cohort: devices / 10, rounds: 20 };

/** In the order in which they are run: each in a process of its own. */
export const simulateCases: Cases = {
  'rounds-10': (report, options) => benchRounds(report, options, { ...tenth, name: 'rounds-10', rows: 10 }),
  'rounds-50': (report, options) => benchRounds(report, options, { ...tenth, name: 'rounds-50', rows: 50 }),
  'everyone-10': (report, options) =>
    benchRounds(report, options, { name: 'everyone-10', rows: 10, cohort: devices, rounds: 4 }),
  memory: benchMemory,
};

/** Rounds of FedAvg with some of 1,000 devices, or all, beside Flower's simulation engine on the same pack. */
async function benchRounds(report: Report, { flower }: CaseOptions, work: Rounds): Promise<void> {
  const { name, rows, cohort, rounds } = work;
  const place = await mkdtemp(join(tmpdir(), 'starling-bench-'));
  try {
    const directory = join(place, 'pack');
    const population = await packOf(directory, rows);
    const ours = await roundsOf(population, planOf(cohort, rounds));
    const rate = perSecond(ours.seconds);
    report(row(name, 'starling', 'rounds a second', '1/s', ours.seconds.slice(warmUp).map(inverse)));
    report(row(name, 'starling', 'from nothing to the last round', 's', [ours.elapsed]));
    report(row(name, 'starling', 'loss in the last round, before training', 'nats', [ours.loss]));
    if (flower === undefined) {
      console.error('flower is left out: name a Python that has flwr[simulation] and torch with --flower.');
      return;
    }
    const theirs = await flowerRounds(flower, directory, work);
    report(row(name, 'flower', 'rounds a second', '1/s', theirs.seconds.slice(warmUp).map(inverse)));
    report(row(name, 'flower', 'from nothing to the last round', 's', [theirs.elapsed]));
    report(row(name, 'flower', 'loss in the last round, before training', 'nats', [theirs.losses.at(-1)!]));
    const times = rate / perSecond(theirs.seconds);
    report(verdict(name, 'rounds a second over flower', times, 5, 'x', true));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** A round takes 8,192 at most: the sums of their metrics would leave the exact integers. */
const mostInARound = 8_000;

/** A round of (nearly) all devices of fleets of three sizes, one after another: the most memory that was ever resident. */
async function benchMemory(report: Report): Promise<void> {
  const rows = 20;
  const peaks: number[] = [];
  for (const size of [100, 1_000, 10_000]) {
    const patterns = patternsFor(model, 1, rows);
    await roundsOf(
      { kind: 'patterns', devices: size, heldOut: 0, patterns },
      planOf(Math.min(size, mostInARound), 1),
    );
    const peak = process.resourceUsage().maxRSS / 1024;
    peaks.push(peak);
    report(row('memory', 'starling', `${size} devices: peak resident`, 'MB', [peak]));
  }
  report(verdict('memory', '10,000 devices over 100', peaks[2]! / peaks[0]!, 1.25, 'x'));
}

async function roundsOf(
  population: PopulationOrder,
  plan: Plan,
): Promise<{ seconds: number[]; elapsed: number; loss: number }> {
  const seconds: number[] = [];
  const start = performance.now();
  let before = start;
  const { report } = await simulate({
    ...{ model, plan, population, fleet: idealFleet, seed: 1, threads, isTraining: true },
    onRound: () => {
      const now = performance.now();
      seconds.push((now - before) / 1e3);
      before = now;
    },
  });
  const last = report.rounds.at(-1)?.metrics as TrainingMetrics; // training rounds alone
  return { seconds, elapsed: (performance.now() - start) / 1e3, loss: last.lossBefore };
}

async function flowerRounds(
  python: string,
  directory: string,
  { cohort, rounds }: Rounds,
): Promise<{ seconds: number[]; losses: number[]; elapsed: number }> {
  const args = [script, directory, ...[rounds, cohort, batch, rate].map(String)];
  const { stdout } = await promisify(execFile)(python, args, {
    maxBuffer: 2 ** 26,
    env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  });
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(line) as Awaited<ReturnType<typeof flowerRounds>>; // our own script wrote it
}

function planOf(goal: number, rounds: number): Plan {
  const hour = 3_600_000;
  return {
    learning: { algorithm: 'fedavg', epochs: 1, batchSize: batch, rate },
    optimiser: { kind: 'sgd', rate: 1 },
    rounds,
    cohort: { goal, minimum: goal, overSelection: 1 },
    windows: { selectingMs: hour, trainingMs: hour, aggregatingMs: hour },
    adaptation: { steps: 1, rate },
    maxWeight: 256,
    seed: 1,
  };
}

/** A pack of 1,000 made-up people, as whole numbers of 16 bits. */
async function packOf(directory: string, rows: number): Promise<PopulationOrder> {
  const patterns = patternsFor(model, 1, rows);
  const users = Array.from({ length: devices }, (_, person) => ({ id: `person-${person}`, count: rows }));
  const x = new Int16Array(devices * rows * patterns.width);
  const y = new Uint8Array(devices * rows);
  for (let person = 0; person < devices; person++) {
    const examples = patternExamples(patterns, person);
    x.set(
      examples.x.map((value) => Math.round(value * 1000)),
      person * rows * patterns.width,
    );
    y.set(examples.y, person * rows);
  }
  const all = devices * rows;
  const pack = await writeFedpack(directory, {
    name: 'bench',
    title: 'SYNTHETIC rows for a bench',
    classes: ['a', 'b', 'c', 'd', 'e', 'f'],
    users,
    arrays: [
      { name: 'x', dtype: 'int16', shape: [all, ...model.inputShape], values: x, about: { scale: 0.001 } },
      { name: 'y', dtype: 'uint8', shape: [all], values: y },
    ],
  });
  const parts = pack.parts;
  const train = users.map(({ id }) => id);
  return { kind: 'pack', devices, pack: parts, holdout: parts, train, heldOut: [] };
}

const inverse = (seconds: number) => 1 / seconds;

/** By the middle round: both have the machine to themselves, and neither is charged for a hiccup. */
function perSecond(seconds: readonly number[]): number {
  return 1 / median(seconds.slice(warmUp));
}
