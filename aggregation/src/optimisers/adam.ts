import { slotOf, type Optimiser } from './optimiser.ts';

export interface AdamSettings {
  readonly kind: 'adam';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Adam with bias correction, epsilon outside the root (Kingma and Ba 2015, Algorithm 1). */
export const adam: Optimiser<AdamSettings> = (parameters, gradient, state, settings, rate) => {
  const { beta1, beta2, epsilon } = settings;
  const size = gradient.length;
  const firstBefore = slotOf(state, 'first-moment', size);
  const secondBefore = slotOf(state, 'second-moment', size);
  const step = state.step + 1;
  const first = gradient.map((value, index) => beta1 * firstBefore[index]! + (1 - beta1) * value);
  const second = gradient.map((value, index) => beta2 * secondBefore[index]! + (1 - beta2) * value * value);
  const firstCorrection = 1 - beta1 ** step;
  const secondCorrection = 1 - beta2 ** step;
  return {
    parameters: parameters.map((value, index) => {
      const direction =
        first[index]! / firstCorrection / (Math.sqrt(second[index]! / secondCorrection) + epsilon);
      return value - rate * direction;
    }),
    state: { step, slots: { 'first-moment': first, 'second-moment': second } },
  };
};
