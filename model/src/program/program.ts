import type { Model } from '../ir/model.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Params } from '../parameters/layout.ts';

/** What one person has to learn from: rows in the order of time. */
export interface Examples {
  /** `count` rows of `model.inputSize` values, row by row. */
  readonly x: Float32Array;
  /** The class of each row, 0 … classes - 1. */
  readonly y: Int32Array;
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
  /** Cross-entropy in nats, summed over rows. */
  readonly loss: number;
  /** Rows whose most probable class is the label; the first of equals counts. */
  readonly correct: number;
  readonly count: number;
  /** Whether one class was predicted for every row although the labels name several. */
  readonly constantPredictor: boolean;
}

export interface Prediction {
  /** [count, classes], row by row. */
  readonly logits: Float32Array;
  /** [count, classes]: softmax of the logits. */
  readonly probabilities: Float32Array;
  readonly count: number;
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
  /** Bytes that training and evaluation take, known before any is allocated; programs of meta-learning come on top. */
  readonly arenaBytes: number;
  /** One step of SGD on the mean loss of the rows, in place; statistics and rates stay. Gives the mean loss before it. */
  train(params: Params, batch: Batch, options: { readonly rate: number }): { readonly loss: number };
  evaluate(params: Params, batch: Batch): Judgement;
  /** @param x - Rows of `model.inputSize` values. */
  predict(params: Params, x: Float32Array): Prediction;
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
