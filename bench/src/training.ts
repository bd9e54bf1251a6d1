import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContenderFailed, ContenderProcess, type Contender } from './contender.ts';
import { writeFixture, type Fixture } from './fixtures.ts';
import { flopsOfStep } from './flops.ts';
import { agree, median, minimum } from './statistics.ts';
import { zooModel, type Workload } from './workloads.ts';

/** What one contender did on one workload. */
export interface Measurement {
  readonly bench: 'training';
  readonly workload: string;
  readonly model: string;
  readonly contender: string;
  readonly rounds: number;
  /** Steps that were timed. */
  readonly steps: number;
  readonly minMs: number;
  readonly medianMs: number;
  /** Of products, per second at the fastest step, in 10^9. */
  readonly gigaflops: number;
  /** Its fastest step over theirs, in this run: below 1 is faster. */
  readonly timeOverTorch?: number;
  readonly timeOverTfjs?: number;
  /** Before each of the first steps. */
  readonly losses: readonly number[];
  /** Whether the first two are those of torch, or else of the first contender. */
  readonly agrees: boolean;
  /** From the order to load until the first step was done, start of the process aside. */
  readonly readyMs: number;
  readonly peakRssMb: number;
}

export interface TrainingFailure {
  readonly bench: 'training';
  readonly workload: string;
  readonly contender: string;
  readonly error: string;
}

export interface TrainingOptions {
  readonly rounds: number;
  /** How long each contender runs in each round. */
  readonly roundMs: number;
}

/** Steps before anything is timed. */
const warmUp = 5;
/**
 * Losses that are compared: the second is the first that a wrong gradient would change. Later ones tell less, because
 * steps of MAML multiply the rounding of float32 by hundreds each.
 */
const comparedSteps = 2;
/** Float32 summed in another order. */
const lossTolerance = 1e-4;

interface Running {
  readonly contender: Contender;
  readonly process: ContenderProcess;
  readonly losses: readonly number[];
  readonly readyMs: number;
  readonly stepsMs: number[];
  rssBytes: number;
}

/**
 * Measures a workload: every contender in a process of its own, all alive at once, taking turns in rounds, so that a busy
 * neighbour on the machine meets all of them.
 */
export async function measure(
  workload: Workload,
  contenders: readonly Contender[],
  { rounds, roundMs }: TrainingOptions,
): Promise<(Measurement | TrainingFailure)[]> {
  const directory = mkdtempSync(join(tmpdir(), 'starling-bench-'));
  const running: Running[] = [];
  const failures: TrainingFailure[] = [];
  const failed = (contender: Contender, error: unknown) => {
    if (!(error instanceof ContenderFailed)) throw error;
    failures.push({
      bench: 'training',
      workload: workload.id,
      contender: contender.name,
      error: error.message,
    });
  };
  try {
    const fixture = writeFixture(workload, directory);
    for (const contender of contenders) {
      const process = new ContenderProcess(contender);
      try {
        const loaded = await process.ask({ command: 'load', fixture, warmUp });
        running.push({ contender, process, ...loaded, stepsMs: [], rssBytes: 0 });
      } catch (error) {
        process.stop();
        failed(contender, error);
      }
    }
    for (let round = 0; round < rounds; round++)
      for (const contender of running) await runOnce(contender, roundMs);
  } finally {
    running.forEach(({ process }) => {
      process.stop();
    });
    rmSync(directory, { recursive: true, force: true });
  }
  return [...summarise(workload, running, rounds), ...failures];
}

async function runOnce(running: Running, milliseconds: number): Promise<void> {
  const { stepsMs, rssBytes } = await running.process.ask({ command: 'run', milliseconds });
  running.stepsMs.push(...stepsMs);
  running.rssBytes = rssBytes;
}

function summarise(workload: Workload, running: readonly Running[], rounds: number): Measurement[] {
  const flops = flopsOfStep(zooModel(workload.zoo), workload);
  const named = (name: string) => running.find(({ contender }) => contender.name === name);
  const [torch, tfjs] = [named('torch'), named('tfjs')];
  const compared = ({ losses }: Running) => losses.slice(0, comparedSteps);
  const reference = torch ?? running[0];
  return running.map((one) => {
    const { contender, stepsMs, losses, readyMs, rssBytes } = one;
    const minMs = minimum(stepsMs);
    return {
      bench: 'training',
      workload: workload.id,
      model: workload.zoo,
      contender: contender.name,
      rounds,
      steps: stepsMs.length,
      minMs: rounded(minMs),
      medianMs: rounded(median(stepsMs)),
      gigaflops: rounded(flops / minMs / 1e6),
      ...(torch && { timeOverTorch: rounded(minMs / minimum(torch.stepsMs)) }),
      ...(tfjs && { timeOverTfjs: rounded(minMs / minimum(tfjs.stepsMs)) }),
      losses,
      agrees: !reference || agree(compared(one), compared(reference), lossTolerance),
      readyMs: rounded(readyMs),
      peakRssMb: rounded(rssBytes / 2 ** 20),
    };
  });
}

/** Three significant digits and more: what a clock on a shared machine is good for. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** SHA-256 of all parameters after as many steps, for the record of what strict arithmetic gives. */
export async function digestAfter(workload: Workload, contender: Contender, steps: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'starling-bench-'));
  const process = new ContenderProcess(contender);
  try {
    const fixture: Fixture = writeFixture(workload, directory);
    await process.ask({ command: 'load', fixture, warmUp: steps });
    return (await process.ask({ command: 'digest' })).sha256;
  } finally {
    process.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
