import { erf, exp, log, sigmoid, softplus, tanh } from '../../numeric.ts';
import type { Kernels } from './binder.ts';

type Op =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'scale'
  | 'shift'
  | 'descend'
  | 'maskPositive'
  | 'exp'
  | 'log'
  | 'reciprocal'
  | 'squareRoot'
  | 'reciprocalRoot'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'erf';

/** Every loop is written out: a shared one would call its function without inlining, and box each result. */
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

  shift({ inputs: [a], output: y, attributes: { offset } }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[a.offset + i] + offset;
    };
  },

  descend({ inputs: [a, b, scalar], output: y }, f) {
    return () => {
      const factor = f[scalar.offset];
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[a.offset + i] - factor * f[b.offset + i];
    };
  },

  maskPositive({ inputs: [a, where], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = f[where.offset + i] > 0 ? f[a.offset + i] : 0;
    };
  },

  exp({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = exp(f[a.offset + i]);
    };
  },

  log({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = log(f[a.offset + i]);
    };
  },

  reciprocal({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = 1 / f[a.offset + i];
    };
  },

  squareRoot({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = Math.sqrt(f[a.offset + i]);
    };
  },

  reciprocalRoot({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = 1 / Math.sqrt(f[a.offset + i]);
    };
  },

  tanh({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = tanh(f[a.offset + i]);
    };
  },

  sigmoid({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = sigmoid(f[a.offset + i]);
    };
  },

  softplus({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = softplus(f[a.offset + i]);
    };
  },

  erf({ inputs: [a], output: y }, f) {
    return () => {
      for (let i = 0; i < y.size; i++) f[y.offset + i] = erf(f[a.offset + i]);
    };
  },
};
