import type { BoundOperation } from '../ops/operation.ts';
import type { Initial, LossIr, MetricIr, ModelIr, OptimiserIr, ParameterGroup, Shape } from './schema.ts';

/** A checked model: every shape fits, every id is defined once, every value is used. Immutable. */
export interface Model {
  readonly name: string;
  /** The IR with its defaults filled in: plain JSON, so that equal models have equal canonical bytes. */
  readonly ir: ModelIr;
  /** Axes of one example, without the batch: `[52]`, `[64, 6]`. */
  readonly inputShape: readonly number[];
  /** Values of one example. */
  readonly inputSize: number;
  /** Numbers, or ids of tokens. */
  readonly inputKind: 'values' | 'tokens';
  /** Ids are below it; undefined where the input is numbers. */
  readonly vocabulary: number | undefined;
  /** Classes, or values to predict. */
  readonly labelKind: 'class' | 'value';
  /** Axes of the labels of one example: [] for one label. */
  readonly labelShape: readonly number[];
  /** Labels of one example. */
  readonly labelSize: number;
  /** 0 where labels are values. */
  readonly classes: number;
  readonly loss: LossIr;
  readonly metrics: readonly MetricIr[];
  readonly optimiser: OptimiserIr | undefined;
  /** Whether rows of one pass influence each other (batchNorm): then no pass may be padded with rows of its own. */
  readonly mixesRows: boolean;
  /** Whether training draws masks. */
  readonly hasDropout: boolean;
  /** Shape of every input, parameter and node by its id. */
  readonly nodeShapes: ReadonlyMap<string, Shape>;
  readonly parameters: readonly ModelParameter[];
  readonly nodes: readonly ModelNode[];
}

export interface ModelParameter {
  readonly id: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly init: Initial;
  readonly share: 'global' | 'local';
  readonly group: ParameterGroup;
  /** A statistic of the input is set, never trained. */
  readonly statistic: 'mean' | 'inverse-sd' | undefined;
  /** Whether an inner step, or adaptation to a person, moves it (`meta.adapt`). */
  readonly adapts: boolean;
}

export interface ModelNode {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly operation: BoundOperation;
}
