import type { Graph, Value } from '../graph/graph.ts';
import type { Fields } from '../ir/fields.ts';
import type { Attributes, Shape } from '../ir/schema.ts';

/**
 * One op of the exchange level: what the IR may say, which shapes fit, and its meaning in primitives. Differentiation
 * and kernels live at the level of primitives, so an op needs neither.
 */
export interface Operation {
  /** What each input is called in messages, in order. */
  readonly inputs: readonly string[];
  /** How many of the last inputs may be left out. */
  readonly optional: number;
  /** Reads `attrs` and fixes them. @throws ModelError when they are out of range. */
  bind(attributes: Fields): BoundOperation;
}

export interface BoundOperation {
  /** As written to the normalised IR. */
  readonly attributes: Attributes;
  /** The shape of the output. @throws ShapeMismatch when the inputs do not fit each other. */
  infer(inputs: readonly Shape[]): Shape;
  lower(graph: Graph, inputs: readonly Value[]): Value;
}

/** An op without attributes. */
export function plain(
  inputs: readonly string[],
  optional: number,
  bound: Omit<BoundOperation, 'attributes'>,
): Operation {
  return { inputs, optional, bind: () => ({ attributes: {}, ...bound }) };
}
