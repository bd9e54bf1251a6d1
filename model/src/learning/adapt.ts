import type { Params } from '../parameters/layout.ts';
import { checkParams } from '../program/parameter-leaves.ts';
import type { Examples, Program } from '../program/program.ts';
import { TrainingDiverged } from '../program/errors.ts';

/**
 * Makes a person's own model: steps of SGD on all support rows at once, on the weights of the groups that adapt. Steps
 * keep no state, so 5 steps and then 15 are 20.
 * @param options - `rate`: one for all weights, or 'learned' for those that Meta-SGD learned.
 * @throws TrainingDiverged, ExamplesMismatch, ParamsMismatch
 */
export function adapt(
  program: Program,
  params: Params,
  support: Examples,
  options: { readonly steps: number; readonly rate: number | 'learned' },
): Params {
  const { layout } = params;
  checkParams(program.model, params, options.rate === 'learned');
  const personal: Params = { layout, values: params.values.slice() };
  const slope = new Float32Array(layout.weights.size);
  const adapting = new Set(program.model.parameters.filter(({ adapts }) => adapts).map(({ id }) => id));
  const entries = layout.entries.filter(({ role, name }) => role === 'weight' && adapting.has(name));
  for (let step = 1; step <= options.steps; step++) {
    const loss = program.gradient(personal, support, slope);
    for (const { offset, size } of entries) descend(personal, slope, offset, size, options.rate);
    if (!Number.isFinite(loss) || !personal.values.every(Number.isFinite))
      throw new TrainingDiverged(step, 'the loss or a weight');
  }
  return personal;
}

/** Weights lie at the start of the vector, their rates in the same order. */
function descend(
  { layout, values }: Params,
  slope: Float32Array,
  offset: number,
  size: number,
  rate: number | 'learned',
): void {
  const rates = layout.rates.offset;
  for (let i = offset; i < offset + size; i++)
    values[i] -= (rate === 'learned' ? values[rates + i] : rate) * slope[i];
}
