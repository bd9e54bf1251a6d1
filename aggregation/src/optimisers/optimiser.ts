/** The contract of the server optimisers: a step is a pure function of parameters, gradient and explicit state. */

/** A rate, or one that moves linearly from the first round to the last. */
export type ScheduledRate = number | { readonly from: number; readonly to: number };

export interface OptimiserState {
  /** Steps taken so far. */
  readonly step: number;
  /** Vectors [d] that the optimiser carries from step to step, by name. */
  readonly slots: Readonly<Record<string, Float64Array>>;
}

export interface Step {
  readonly parameters: Float32Array;
  readonly state: OptimiserState;
}

/** One optimiser: settings of its kind, shared parameters [d], pseudo-gradient [d], state, this round's rate. */
export type Optimiser<Settings> = (
  parameters: Float32Array,
  gradient: Float64Array,
  state: OptimiserState,
  settings: Settings,
  rate: number,
) => Step;

/** A step that cannot be taken; nothing was changed. */
export class OptimiserError extends Error {
  override readonly name = 'OptimiserError';
  readonly code = 'optimiser';
}

/** The rate of round `round` (from 1) of `rounds`. */
export function rateAt(rate: ScheduledRate, round: number, rounds: number): number {
  if (typeof rate === 'number') return rate;
  const share = rounds <= 1 ? 0 : (round - 1) / (rounds - 1);
  return rate.from + (rate.to - rate.from) * share;
}

/** A state slot [d], zero before the first step. Throws {@link OptimiserError} when it has another size. */
export function slotOf(state: OptimiserState, name: string, size: number): Float64Array {
  const slot = state.slots[name] ?? new Float64Array(size);
  if (slot.length !== size) {
    throw new OptimiserError(
      `The optimiser's "${name}" has ${slot.length} values; the parameters have ${size}.`,
    );
  }
  return slot;
}
