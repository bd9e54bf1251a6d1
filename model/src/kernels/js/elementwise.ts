import { tanh } from '../../numeric.ts';
import type { Kernels } from './binder.ts';

type Op = 'add' | 'subtract' | 'multiply' | 'scale' | 'maskPositive' | 'tanh';

export const elementwise: Kernels<Op> = {
  add({ inputs: [a, b], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[a.offset + i] + f[b.offset + i];
    };
  },

  subtract({ inputs: [a, b], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[a.offset + i] - f[b.offset + i];
    };
  },

  multiply({ inputs: [a, b], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[a.offset + i] * f[b.offset + i];
    };
  },

  scale({ inputs: [a], output: y, attributes: { factor } }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = factor * f[a.offset + i];
    };
  },

  maskPositive({ inputs: [a, where], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[where.offset + i] > 0 ? f[a.offset + i] : 0;
    };
  },

  tanh({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = tanh(f[a.offset + i]);
    };
  },
};
