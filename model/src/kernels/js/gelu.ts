import { erf, exp, tanh } from '../../numeric.ts';
import type { Kernels } from './binder.ts';

/** 1 / sqrt(2 pi) */
const peakDensity = 0.3989422804014327;
const rootTwoOverPi = 0.7978845608028654;
const cubic = 0.044715;

/** Gaussian error linear units (Hendrycks and Gimpel 2016, section 2). */
export const gelus: Kernels<'gelu' | 'geluGradient'> = {
  gelu({ inputs: [input], output: y, attributes: { variant } }, f) {
    if (variant === 'erf')
      return () => {
        for (let i = 0; i < y.size; i++) {
          const x = f[input.offset + i];
          f[y.offset + i] = 0.5 * x * (1 + erf(x * Math.SQRT1_2));
        }
      };
    return () => {
      for (let i = 0; i < y.size; i++) {
        const x = f[input.offset + i];
        f[y.offset + i] = 0.5 * x * (1 + tanh(rootTwoOverPi * x * (1 + cubic * x * x)));
      }
    };
  },

  geluGradient({ inputs: [d, input], output: y, attributes: { variant } }, f) {
    if (variant === 'erf')
      return () => {
        for (let i = 0; i < y.size; i++) {
          const x = f[input.offset + i];
          const slope = 0.5 * (1 + erf(x * Math.SQRT1_2)) + x * peakDensity * exp(-0.5 * x * x);
          f[y.offset + i] = f[d.offset + i] * slope;
        }
      };
    return () => {
      for (let i = 0; i < y.size; i++) {
        const x = f[input.offset + i];
        const t = tanh(rootTwoOverPi * x * (1 + cubic * x * x));
        const bend = (1 - t * t) * rootTwoOverPi * (1 + 3 * cubic * x * x);
        f[y.offset + i] = f[d.offset + i] * 0.5 * (1 + t + x * bend);
      }
    };
  },
};
