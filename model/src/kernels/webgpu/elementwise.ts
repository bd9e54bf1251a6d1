import type { GeluVariant } from '../../graph/primitives.ts';
import type { KernelCall } from '../backend.ts';
import { eachElement, type Dispatch, type GpuKernels } from './dispatch.ts';
import { erf, sigmoid, softplus, tanh } from './functions.ts';

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
  | 'erf'
  | 'gelu'
  | 'geluGradient'
  | 'multiplyScalar';

const a = 'arena[call.a + i]';
const b = 'arena[call.b + i]';

/** Each thread reads its elements before it writes its own, so a result may lie where an input did. */
export const elementwise: GpuKernels<Op> = {
  add: (call) => ofTwo(call, `${a} + ${b}`),
  subtract: (call) => ofTwo(call, `${a} - ${b}`),
  multiply: (call) => ofTwo(call, `${a} * ${b}`),
  maskPositive: (call) => ofTwo(call, `select(0.0, ${a}, ${b} > 0.0)`),
  scale: (call) => ofOne(call, `call.factor * ${a}`, { reals: { factor: call.attributes.factor } }),
  shift: (call) => ofOne(call, `${a} + call.offset`, { reals: { offset: call.attributes.offset } }),
  descend({ inputs: [from, along, scalar], output }) {
    const integers = { a: from.offset, b: along.offset, s: scalar.offset };
    return [eachElement(output, { integers }, `${a} - arena[call.s] * ${b}`)];
  },
  multiplyScalar({ inputs: [factor, scalar], output }) {
    return [
      eachElement(output, { integers: { a: factor.offset, s: scalar.offset } }, `${a} * arena[call.s]`),
    ];
  },
  exp: (call) => ofOne(call, `exp(${a})`),
  log: (call) => ofOne(call, `log(${a})`),
  reciprocal: (call) => ofOne(call, `1.0 / ${a}`),
  squareRoot: (call) => ofOne(call, `sqrt(${a})`),
  reciprocalRoot: (call) => ofOne(call, `1.0 / sqrt(${a})`),
  tanh: (call) => ofOne(call, `tanhOf(${a})`, { prelude: tanh }),
  sigmoid: (call) => ofOne(call, `sigmoidOf(${a})`, { prelude: sigmoid }),
  softplus: (call) => ofOne(call, `softplusOf(${a})`, { prelude: softplus }),
  erf: (call) => ofOne(call, `erfOf(${a})`, { prelude: erf }),
  gelu(call) {
    const { prelude, common, value } = gelus[call.attributes.variant];
    return ofOne(call, value, { prelude, steps: `let x = ${a}; ${common}` });
  },
  geluGradient({ inputs: [d, x], output, attributes: { variant } }) {
    const { prelude, common, slope } = gelus[variant];
    const steps = `let x = ${b}; ${common}`;
    const integers = { a: d.offset, b: x.offset };
    return [eachElement(output, { integers }, `${a} * (${slope})`, { prelude, steps })];
  },
};

/** Gaussian error linear units and their slopes (Hendrycks and Gimpel 2016, section 2). */
const gelus: {
  readonly [Each in GeluVariant['variant']]: Readonly<
    Record<'prelude' | 'common' | 'value' | 'slope', string>
  >;
} = {
  erf: {
    prelude: erf,
    common: 'let p = 0.5 * (1.0 + erfOf(x * 0.7071067811865476));',
    value: 'x * p',
    slope: 'p + x * 0.3989422804014327 * exp(-0.5 * x * x)',
  },
  tanh: {
    prelude: tanh,
    common: 'let t = tanhOf(0.7978845608028654 * x * (1.0 + 0.044715 * x * x));',
    value: '0.5 * x * (1.0 + t)',
    slope: '0.5 * (1.0 + t + x * (1.0 - t * t) * 0.7978845608028654 * (1.0 + 0.134145 * x * x))',
  },
};

function ofTwo({ inputs: [first, second], output }: KernelCall, value: string): Dispatch[] {
  return [eachElement(output, { integers: { a: first.offset, b: second.offset } }, value)];
}

function ofOne(
  { inputs: [input], output }: KernelCall,
  value: string,
  { reals, ...text }: { reals?: Record<string, number>; prelude?: string; steps?: string } = {},
): Dispatch[] {
  return [eachElement(output, { integers: { a: input.offset }, ...(reals ? { reals } : {}) }, value, text)];
}
