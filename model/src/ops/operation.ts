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
  /** The first input is the ids of tokens, which no other op takes. */
  readonly takesTokens?: boolean;
  /** Rows of one pass influence each other. */
  readonly mixesRows?: boolean;
  /** Reads `attrs` and fixes them. @throws ModelError when they are out of range. */
  bind(attributes: Fields): BoundOperation;
}

export interface BoundOperation {
  /** As written to the normalised IR. */
  readonly attributes: Attributes;
  /** Whether training draws a mask. */
  readonly random?: boolean;
  /** The shape of the output. @throws ShapeMismatch when the inputs do not fit each other. */
  infer(inputs: readonly Shape[]): Shape;
  /** What it takes beyond its output; nothing worth counting where it is missing. Asked after `infer`. */
  cost?(inputs: readonly Shape[], output: Shape): Cost;
  lower(graph: Graph, inputs: readonly Value[], context: LoweringContext): Value;
}

/** Of one example. */
export interface Cost {
  /** Values kept besides the output. */
  readonly values?: number;
  /** Multiplications, or comparisons of a pooling window, forward. */
  readonly products?: number;
  /** Steps of a recurrence. */
  readonly steps?: number;
}

/** What the meaning of an op depends on besides its inputs. */
export interface LoweringContext {
  readonly training: boolean;
  /** A leaf that the program fills before each step: 0 with probability `rate`, else 1 / (1 - rate). */
  mask(shape: readonly number[], rate: number): Value;
}

/** No window, stride or padding needs to be longer. */
export const maxExtent = 2 ** 16;

/** An op without attributes. */
export function plain(
  inputs: readonly string[],
  optional: number,
  bound: Omit<BoundOperation, 'attributes'>,
): Operation {
  return { inputs, optional, bind: () => ({ attributes: {}, ...bound }) };
}
