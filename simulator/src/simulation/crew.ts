/** Who does the work of virtual devices: what is asked of a worker and answered, wherever it runs. */
import type { WeightedSum } from '@starling/aggregation';
import type { Assignment } from '@starling/protocol';
import type { PopulationOrder } from './population.ts';

/** What a crew is opened with. */
export interface CrewOrder {
  readonly ir: unknown;
  readonly population: PopulationOrder;
  readonly learnedRates: boolean;
  /** The parameters; written between rounds. In shared memory. */
  readonly values: Float32Array;
}

/** The work of a round. */
export type RoundOrder = Pick<Assignment, 'work' | 'blocks' | 'maxWeight'>;

/** Devices with the seeds of their assignments. */
export interface Share {
  readonly devices: readonly { readonly device: number; readonly seed: number }[];
}

export type Question = { readonly kind: 'share'; readonly share: Share } | { readonly kind: 'sum' };

export interface Answers {
  /** What failed of a share, by device: the code of its error. What the others gave is in the worker's sum. */
  readonly share: { readonly failed: readonly (readonly [device: number, code: string])[] };
  /** The worker's sum since the round began. */
  readonly sum: WeightedSum['parts'];
}

/** Workers that do what they are asked, each one thing at a time. */
export interface Crew {
  readonly size: number;
  /** When all workers are there. */
  readonly ready: Promise<void>;
  /** Begins a round: with the parameters as they are now, and with empty sums. */
  begin(order: RoundOrder): void;
  /** @throws WorkerLost With the worker goes all that it had added since the round began. */
  ask<Kind extends Question['kind']>(
    worker: number,
    question: Extract<Question, { kind: Kind }>,
  ): Promise<Answers[Kind]>;
  close(): Promise<void>;
}

export type OpenCrew = (order: CrewOrder) => Crew;

/** A worker is gone. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';
  readonly code = 'worker-lost';
  /** When another has its place, and the round has begun for it. Rejects when nobody will. */
  readonly replaced: Promise<void>;

  constructor(worker: number, replaced: Promise<void>) {
    super(`Worker ${worker} of the simulation is gone.`);
    this.replaced = replaced;
  }
}
