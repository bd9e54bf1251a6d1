import { slotOf, type Optimiser } from './optimiser.ts';

export interface MomentumSettings {
  readonly kind: 'momentum';
  readonly momentum: number;
}

/** v = momentum v + g; theta - rate v (FedAvgM: Hsu, Qi, Brown 2019). */
export const momentum: Optimiser<MomentumSettings> = (parameters, gradient, state, settings, rate) => {
  const before = slotOf(state, 'velocity', gradient.length);
  const velocity = gradient.map((value, index) => settings.momentum * before[index]! + value);
  return {
    parameters: parameters.map((value, index) => value - rate * velocity[index]!),
    state: { step: state.step + 1, slots: { velocity } },
  };
};
