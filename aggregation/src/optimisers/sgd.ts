import type { Optimiser } from './optimiser.ts';

export interface SgdSettings {
  readonly kind: 'sgd';
}

/** theta - rate g. With rate 1 and the pseudo-gradient this is federated averaging (McMahan et al. 2017). */
export const sgd: Optimiser<SgdSettings> = (parameters, gradient, state, _settings, rate) => ({
  parameters: parameters.map((value, index) => value - rate * gradient[index]!),
  state: { step: state.step + 1, slots: {} },
});
