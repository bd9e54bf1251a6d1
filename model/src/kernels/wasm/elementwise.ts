import type { KernelCall } from '../backend.ts';
import type { Primitive } from '../../graph/primitives.ts';
import { placeOf, type Kernel, type KernelExports, type KernelName, type Kernels } from './binder.ts';

type OfOne =
  'exp' | 'log' | 'reciprocal' | 'squareRoot' | 'reciprocalRoot' | 'tanh' | 'sigmoid' | 'softplus' | 'erf';
type OfTwo = 'add' | 'subtract' | 'multiply' | 'maskPositive';
type Op = OfOne | OfTwo | 'scale' | 'shift' | 'multiplyScalar' | 'descend' | 'gelu' | 'geluGradient';

/** A kernel of one input and perhaps a constant. */
function unary(call: KernelCall, run: KernelExports[KernelName], constant = 0): () => void {
  const [from, to, many] = [placeOf(call.inputs[0]), placeOf(call.output), call.output.size];
  return () => {
    run(from, to, many, constant);
  };
}

function binary({ inputs: [a, b], output }: KernelCall, run: KernelExports[KernelName]): () => void {
  const [pa, pb, py, many] = [placeOf(a), placeOf(b), placeOf(output), output.size];
  return () => {
    run(pa, pb, py, many);
  };
}

function ofOne<Each extends OfOne & Primitive>(op: Each): Kernel<Each> {
  return { bind: (call, kernels) => unary(call, kernels[op]) };
}

function ofTwo<Each extends OfTwo & Primitive>(op: Each): Kernel<Each> {
  return { bind: (call, kernels) => binary(call, kernels[op]) };
}

export const elementwise: Kernels<Op> = {
  add: ofTwo('add'),
  subtract: ofTwo('subtract'),
  multiply: ofTwo('multiply'),
  maskPositive: ofTwo('maskPositive'),
  exp: ofOne('exp'),
  log: ofOne('log'),
  reciprocal: ofOne('reciprocal'),
  squareRoot: ofOne('squareRoot'),
  reciprocalRoot: ofOne('reciprocalRoot'),
  tanh: ofOne('tanh'),
  sigmoid: ofOne('sigmoid'),
  softplus: ofOne('softplus'),
  erf: ofOne('erf'),
  scale: { bind: (call, { scale }) => unary(call, scale, call.attributes.factor) },
  shift: { bind: (call, { shift }) => unary(call, shift, call.attributes.offset) },
  gelu: {
    bind: (call, { geluByErf, geluByTanh }) =>
      unary(call, call.attributes.variant === 'erf' ? geluByErf : geluByTanh),
  },
  geluGradient: {
    bind: (call, { geluGradientByErf, geluGradientByTanh }) =>
      binary(call, call.attributes.variant === 'erf' ? geluGradientByErf : geluGradientByTanh),
  },
  multiplyScalar: { bind: (call, { multiplyScalar }) => binary(call, multiplyScalar) },
  descend: {
    bind({ inputs: [a, b, scalar], output }, { descend }) {
      const [pa, pb, ps, py, many] = [placeOf(a), placeOf(b), placeOf(scalar), placeOf(output), output.size];
      return () => {
        descend(pa, pb, ps, py, many);
      };
    },
  },
};
