import type { Params } from '../parameters/layout.ts';
import type { Examples, Program } from '../program/program.ts';

/** What a device does with its examples in one round. Rates are steps along the gradient of a mean loss. */
export type LearningPlan = FedAvgPlan | ReptilePlan | MamlPlan | MetaSgdPlan;

interface Clipped {
  /** Scales the update down to this L2 norm when it is longer. */
  readonly clipNorm?: number;
}

export interface FedAvgPlan extends Clipped {
  readonly algorithm: 'fedavg';
  readonly epochs: number;
  readonly batchSize: number;
  readonly rate: number;
}

export interface ReptilePlan extends Clipped {
  readonly algorithm: 'reptile';
  readonly steps: number;
  readonly batchSize: number;
  readonly rate: number;
}

interface Episodes extends Clipped {
  readonly innerSteps: number;
  /** Shares of the local data to adapt on, each above 0 and at most 0.5; the seed draws one. */
  readonly supportShares: readonly number[];
  /** Most query rows judged; the seed draws them when there are more. */
  readonly maxQuery: number;
}

export interface MamlPlan extends Episodes {
  readonly algorithm: 'fomaml' | 'maml';
  readonly innerRate: number;
}

export interface MetaSgdPlan extends Episodes {
  readonly algorithm: 'meta-sgd';
  /** Where every learned rate starts: for `initialise`, not for the device. */
  readonly initialRate: number;
}

export interface LearningHooks {
  /** Decides shuffles, supports and queries: same seed, same update. A non-negative safe integer. */
  readonly seed: number;
  /** After each step, counted from 1, with its mean loss. */
  onStep?(step: number, loss: number): void;
  /** Asked before each step; true ends learning with TrainingStopped. */
  stop?(): boolean;
}

/** What a device contributes. */
export interface Update {
  /** Direction to add to the shared parameters: `layout.learnable.size` values, 0 where a parameter stays local. */
  readonly vector: Float32Array;
  /** Examples for FedAvg, 1 for the others. */
  readonly weight: number;
  readonly metrics: LearningMetrics;
  readonly diagnostics: LearningDiagnostics;
}

/**
 * Losses are sums over what the counts count (labels, or rows where values are predicted), cross-entropies in nats. FedAvg and Reptile: the person's own rows before and after local training.
 * Meta-learning: the query rows before and after the inner steps.
 */
export interface LearningMetrics {
  readonly lossBefore: number;
  readonly correctBefore: number;
  readonly countBefore: number;
  readonly lossAfter: number;
  readonly correctAfter: number;
  readonly countAfter: number;
}

export interface LearningDiagnostics {
  /** After training, one class was predicted for every row although the labels name several. */
  readonly constantPredictor: boolean;
  readonly clipped: boolean;
}

/** What an algorithm gets. It never changes `params`. */
export interface LearningContext {
  readonly program: Program;
  readonly params: Params;
  readonly examples: Examples;
  readonly seed: number;
  /** Runs one step that gives its mean loss: asks `stop` before, refuses a loss that is not finite, reports after. */
  step(run: () => number): void;
}

/** What an algorithm gives, before clipping. */
export interface Learned {
  readonly vector: Float32Array;
  readonly weight: number;
  readonly metrics: LearningMetrics;
  readonly constantPredictor: boolean;
}
