/** A thread that does the work of virtual devices, one after another, and adds their contributions up. */
import { parentPort, workerData } from 'node:worker_threads';
import { WeightedSum } from '@starling/aggregation';
import { batchOf, contribute, handIn, type HandedIn } from '@starling/client-sdk/work';
import { compile, layoutOf, parseModel, trustedBackend, type Program } from '@starling/model';
import type { Assignment } from '@starling/protocol';
import { openPopulation, type PopulationOrder } from './population.ts';

/** What a thread is started with. */
export interface ThreadOrder {
  readonly ir: unknown;
  readonly population: PopulationOrder;
  readonly learnedRates: boolean;
  /** The parameters of the round, float32; written by the main thread between rounds. */
  readonly values: SharedArrayBuffer;
}

/** The work of a round. The sum starts empty with it. */
export type RoundOrder = Pick<Assignment, 'work' | 'blocks' | 'maxWeight'>;

/** Devices with the seeds of their assignments. */
export interface Share {
  readonly devices: readonly { readonly device: number; readonly seed: number }[];
}

export type ThreadMessage =
  | { readonly kind: 'round'; readonly order: RoundOrder }
  | { readonly kind: 'share'; readonly share: Share }
  | { readonly kind: 'sum' };

export type ThreadAnswer =
  /** What failed of a share, by device: the code of its error. */
  | { readonly kind: 'done'; readonly failed: readonly (readonly [device: number, code: string])[] }
  | { readonly kind: 'sum'; readonly parts: WeightedSum['parts'] }
  | { readonly kind: 'broken'; readonly message: string };

/** Contributions that are folded at once: together they take less time than one by one. */
const mostWaiting = 8;

const { ir, population: order, learnedRates, values } = workerData as ThreadOrder; // the main thread wrote it
const model = parseModel(ir);
const params = { layout: layoutOf(model, { learnedRates }), values: new Float32Array(values) };
const population = openPopulation(order);
const programs = new Map<number, Program>();
let round: RoundOrder | undefined;
let sum: WeightedSum | undefined;
let waiting: HandedIn[] = [];

function programFor(batch: number): Program {
  let program = programs.get(batch);
  if (!program) programs.set(batch, (program = compile(model, { batch, backend: trustedBackend() })));
  return program;
}

function begin(next: RoundOrder): void {
  round = next;
  waiting = [];
  sum = new WeightedSum(next.blocks, { maxWeight: next.maxWeight });
}

function work({ devices }: Share): ThreadAnswer {
  const failed: [number, string][] = [];
  if (!round) throw new TypeError('A share belongs to a round.');
  const program = programFor(batchOf(round.work));
  for (const { device, seed } of devices) {
    const assignment = { ...round, seed };
    try {
      const contribution = contribute(program, params, assignment, population.examplesOf(device));
      waiting.push(handIn(assignment, contribution));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      if (code === undefined) throw error;
      failed.push([device, code]);
    }
    if (waiting.length >= mostWaiting) fold();
  }
  return { kind: 'done', failed };
}

function fold(): void {
  sum?.addAll(waiting);
  waiting = [];
}

function answer(message: ThreadMessage): ThreadAnswer | undefined {
  switch (message.kind) {
    case 'round':
      begin(message.order);
      return undefined;
    case 'share':
      return work(message.share);
    case 'sum': {
      fold();
      if (!sum) throw new TypeError('A sum belongs to a round.');
      return { kind: 'sum', parts: sum.parts };
    }
  }
}

parentPort?.on('message', (message: ThreadMessage) => {
  let reply: ThreadAnswer | undefined;
  try {
    reply = answer(message);
  } catch (error) {
    reply = { kind: 'broken', message: String(error) };
  }
  if (reply) parentPort?.postMessage(reply);
});
