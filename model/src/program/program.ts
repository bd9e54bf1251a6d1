import type { Model } from '../ir/model.ts';
import type { OptimiserIr } from '../ir/schema.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Params } from '../parameters/layout.ts';

/** What one person has to learn from: rows in the order of time. */
export interface Examples {
  /** `count` rows of `model.inputSize` values or token ids, row by row. */
  readonly x: Float32Array | Int32Array;
  /** `count` rows of `model.labelSize` classes, 0 … classes - 1, or values. */
  readonly y: Int32Array | Float32Array;
  readonly count: number;
  /** Which continuous recording each row belongs to, 0, 1, 2 …; rows of one recording may overlap in time. */
  readonly recording?: Int32Array;
}

/** Examples, or those rows of them that `rows` lists, in that order. */
export interface Batch extends Examples {
  readonly rows?: Int32Array;
}

/** How well parameters do on rows. */
export interface Judgement {
  /** Summed over what `count` counts; cross-entropy in nats. */
  readonly loss: number;
  /** Labels that are the most probable class, the first of equals; 0 where values are predicted. */
  readonly correct: number;
  /** Labels judged; rows where values are predicted. */
  readonly count: number;
  /** Whether one class was predicted for every row although the labels name several. */
  readonly constantPredictor: boolean;
  /** What the model's document asks for, by name: `accuracy`, `top5`, `f1`, `meanAbsoluteError`, `perplexity`. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Prediction {
  /** [count, …, classes], row by row; predicted values where there are no classes. */
  readonly logits: Float32Array;
  /** As the logits: their softmax, or their sigmoid for a binary cross-entropy; predicted values as they are. */
  readonly probabilities: Float32Array;
  readonly count: number;
  /** Length of the last axis. */
  readonly classes: number;
}

/**
 * A model compiled for batches of one size. Any number of rows may be given: more than `batch` take several passes,
 * fewer are padded with rows of weight 0. One program serves one caller at a time.
 */
export interface Program {
  readonly model: Model;
  /** Rows of one pass. */
  readonly batch: number;
  readonly backend: Backend;
  /**
   * Bytes that evaluation and gradients take, known before any is allocated. Trainers have arenas of their own, and so have
   * programs of meta-learning.
   */
  readonly arenaBytes: number;
  /** One step of SGD on the mean loss of the rows, in place; statistics and rates stay. Gives the mean loss before it. */
  train(params: Params, batch: Batch, options: { readonly rate: number }): { readonly loss: number };
  /**
   * Starts training on batches of at most `rows` rows: weights and the optimiser's state stay in the arena from step to step.
   * A later call for the same rows and optimiser takes the same place over.
   */
  trainer(params: Params, options?: TrainerOptions): Trainer;
  evaluate(params: Params, batch: Batch): Judgement;
  /** @param x - Rows of `model.inputSize` values. */
  predict(params: Params, x: Float32Array | Int32Array): Prediction;
  /** Writes d(mean loss)/d(weights) to `out` (`layout.weights.size` values) and gives the mean loss. */
  gradient(params: Params, batch: Batch, out: Float32Array): number;
  /** The gradient through an inner loop of adaptation; compiled for sizes rounded up, and kept. */
  metaGradient(params: Params, request: MetaRequest, out: Float32Array): MetaOutcome;
}

/** One episode: adapt to the support in `innerSteps` steps of full-batch SGD, then judge on the query. */
export interface MetaRequest {
  readonly support: Batch;
  readonly query: Batch;
  readonly innerSteps: number;
  /** One rate, or the rates that travel with the parameters. */
  readonly innerRate: number | 'learned';
  /** 2 differentiates through the inner steps; 1 takes the gradient at the adapted weights (FOMAML). */
  readonly order: 1 | 2;
}

/** `out` receives d(mean query loss)/d(weights), then d/d(rates) with `innerRate: 'learned'`. */
export interface MetaOutcome {
  /** Mean loss of the support before each inner step. */
  readonly innerLosses: readonly number[];
  /** On the query, after the inner steps. */
  readonly after: Judgement;
}

export interface TrainerOptions {
  /** Most rows of one step; the program's batch unless told. */
  readonly rows?: number;
  /** Plain SGD unless told. Its rate is given with each step. */
  readonly optimiser?: OptimiserIr;
  /** Decides what dropout drops. A non-negative safe integer, 0 unless told. */
  readonly seed?: number;
}

export interface Trainer {
  readonly rows: number;
  /** Bytes of its arena, weights included. */
  readonly arenaBytes: number;
  /**
   * One step on the mean loss of the rows; gives the mean loss before it.
   * @throws TrainingDiverged When the loss or a gradient is not finite: the weights stay as they were before the step.
   * @throws ExamplesMismatch, RangeError For more rows than were announced.
   */
  step(batch: Batch, options: { readonly rate: number }): { readonly loss: number };
  /** The parameters as they are now, a copy. */
  read(): Params;
}
