import { initialise } from '../parameters/initialise.ts';
import type { Params } from '../parameters/layout.ts';
import { checkParams } from '../program/parameter-leaves.ts';
import type { Examples, Program } from '../program/program.ts';
import { TrainingDiverged } from '../program/errors.ts';

/** Adam's decay of the first and second moment, and what keeps its division finite (Kingma and Ba 2015, section 2). */
const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

/**
 * What a person reaches without anyone else: fresh weights, trained on the own support at once by Adam (Kingma and Ba 2015,
 * algorithm 1; epsilon outside the root, as torch has it). The baseline of every comparison.
 * @param statisticsFrom - Parameters whose input statistics are used.
 * @throws TrainingDiverged, ExamplesMismatch, ParamsMismatch
 */
export function trainAlone(
  program: Program,
  seed: number,
  statisticsFrom: Params,
  support: Examples,
  options: { readonly steps: number; readonly rate: number },
): Params {
  checkParams(program.model, statisticsFrom, false);
  const params = initialise(program.model, seed);
  const { layout, values } = params;
  const from = statisticsFrom.layout.statistics;
  values.set(statisticsFrom.values.subarray(from.offset, from.offset + from.size), layout.statistics.offset);
  const slope = new Float32Array(layout.weights.size);
  const first = new Float64Array(slope.length);
  const second = new Float64Array(slope.length);
  let [bias1, bias2] = [1, 1];
  for (let step = 1; step <= options.steps; step++) {
    const loss = program.gradient(params, support, slope);
    bias1 *= beta1;
    bias2 *= beta2;
    for (let i = 0; i < slope.length; i++) {
      first[i] += (1 - beta1) * (slope[i] - first[i]);
      second[i] += (1 - beta2) * (slope[i] * slope[i] - second[i]);
      const deviation = Math.sqrt(second[i] / (1 - bias2)) + epsilon;
      values[i] -= (options.rate / (1 - bias1)) * (first[i] / deviation);
    }
    if (!Number.isFinite(loss) || !values.every(Number.isFinite))
      throw new TrainingDiverged(step, 'the loss or a weight');
  }
  return params;
}
