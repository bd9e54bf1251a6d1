import type { Model, ModelParameter } from '../ir/model.ts';
import { log } from '../numeric.ts';
import { stream } from '../random/streams.ts';
import { layoutOf, type Params } from './layout.ts';

/**
 * Fresh parameters: the same for the same seed on every machine, each tensor from a stream of its own (`init/<name>`).
 * @param options - `learnedRates`: adds a rate for every weight, all starting at this value (Meta-SGD).
 * @throws RangeError Unless the seed is a non-negative safe integer.
 */
export function initialise(
  model: Model,
  seed: number,
  options: { readonly learnedRates?: number } = {},
): Params {
  const layout = layoutOf(model, { learnedRates: options.learnedRates !== undefined });
  const values = new Float32Array(layout.size);
  const parameters = new Map(model.parameters.map((parameter) => [parameter.id, parameter]));
  for (const { name, role, offset, size } of layout.entries) {
    const target = values.subarray(offset, offset + size);
    if (role === 'rate')
      target.fill(options.learnedRates!); // a layout has rates only when they were asked for
    else fill(target, parameters.get(name)!, seed); // entries are named after the model's parameters
  }
  return { layout, values };
}

function fill(target: Float32Array, { id, init, shape }: ModelParameter, seed: number): void {
  switch (init.kind) {
    case 'zeros':
    case 'inputMean':
      return; // as allocated
    case 'ones':
    case 'inputInverseSd':
      target.fill(1);
      return;
    case 'constant':
      target.fill(init.value);
      return;
    case 'uniform':
      fillUniform(target, 1 / Math.sqrt(init.fan), seed, id);
      return;
    case 'glorotUniform':
      fillUniform(target, Math.sqrt(6 / (fanIn(shape) + fanOut(shape))), seed, id);
      return;
    case 'heUniform':
      fillUniform(target, Math.sqrt(6 / fanIn(shape)), seed, id);
      return;
    case 'normal':
      fillNormal(target, init.deviation, seed, id);
  }
}

function fillUniform(target: Float32Array, bound: number, seed: number, id: string): void {
  const random = stream(seed, `init/${id}`);
  for (let i = 0; i < target.length; i++) target[i] = bound * (2 * random.nextFloat() - 1);
}

/**
 * Normal draws in pairs by the polar method (Marsaglia and Bray 1964): it needs a square root, which is exact to the
 * last bit on every engine, and the logarithm of `numeric.ts`, which is too; a sine would not be.
 */
function fillNormal(target: Float32Array, deviation: number, seed: number, id: string): void {
  const random = stream(seed, `init/${id}`);
  for (let i = 0; i < target.length; i += 2) {
    let u: number;
    let v: number;
    let square: number;
    do {
      u = 2 * random.nextFloat() - 1;
      v = 2 * random.nextFloat() - 1;
      square = u * u + v * v;
    } while (square >= 1 || square === 0);
    const factor = deviation * Math.sqrt((-2 * log(square)) / square);
    target[i] = u * factor;
    if (i + 1 < target.length) target[i + 1] = v * factor;
  }
}

/** Inputs of one unit: [in, out] of a dense layer, [window…, in, out] of a convolution. */
function fanIn(shape: readonly number[]): number {
  return shape.slice(0, -1).reduce((product, axis) => product * axis, 1);
}

/** Units that one input reaches: the outputs, over the places of the window. */
function fanOut(shape: readonly number[]): number {
  return shape.slice(0, -2).reduce((product, axis) => product * axis, 1) * shape.at(-1)!; // rank 2 or more: checked by the parser
}
