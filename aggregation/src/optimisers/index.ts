import { adam, type AdamSettings } from './adam.ts';
import { momentum, type MomentumSettings } from './momentum.ts';
import { OptimiserError, rateAt, type OptimiserState, type ScheduledRate, type Step } from './optimiser.ts';
import { sgd, type SgdSettings } from './sgd.ts';

/** Which optimiser, and its settings. */
export type OptimiserSettings = (SgdSettings | MomentumSettings | AdamSettings) & {
  readonly rate: ScheduledRate;
};

/** The state before the first step. */
export const initialState: OptimiserState = { step: 0, slots: {} };

/**
 * One step of a server optimiser, in float64: shared parameters [d] and pseudo-gradient [d] give new parameters and
 * the state for the next step. `schedule` says which round (from 1) of how many. Throws {@link OptimiserError} when
 * sizes differ or the gradient is not finite; nothing is changed then.
 */
export function applyOptimiser(
  parameters: Float32Array,
  gradient: Float64Array,
  state: OptimiserState,
  settings: OptimiserSettings,
  schedule: { round: number; rounds: number },
): Step {
  if (gradient.length !== parameters.length) {
    throw new OptimiserError(
      `The gradient has ${gradient.length} values; the parameters have ${parameters.length}.`,
    );
  }
  if (!gradient.every(Number.isFinite)) throw new OptimiserError('The gradient holds NaN or infinity.');
  const rate = rateAt(settings.rate, schedule.round, schedule.rounds);
  switch (settings.kind) {
    case 'sgd':
      return sgd(parameters, gradient, state, settings, rate);
    case 'momentum':
      return momentum(parameters, gradient, state, settings, rate);
    case 'adam':
      return adam(parameters, gradient, state, settings, rate);
  }
}
