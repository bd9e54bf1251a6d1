import type { Params } from '../parameters/layout.ts';
import { checkParams } from '../program/parameter-leaves.ts';
import { checkRows } from '../program/rows.ts';
import type { Examples, Program } from '../program/program.ts';
import { clipToNorm } from './clip.ts';
import type { Learned, LearningContext, LearningHooks, LearningPlan, Update } from './contract.ts';
import { TrainingDiverged } from '../program/errors.ts';
import { TrainingStopped } from './errors.ts';
import { fedavg } from './fedavg.ts';
import { fomaml } from './fomaml.ts';
import { maml } from './maml.ts';
import { metaSgd } from './meta-sgd.ts';
import { reptile } from './reptile.ts';

/**
 * Does what a plan asks of a device in one round: learns from its examples and gives the update to contribute. The
 * parameters are never changed; what is local to the device does not enter the update.
 * @param params - For `meta-sgd` with learned rates.
 * @throws TrainingDiverged When a loss or the update is NaN or infinite.
 * @throws TrainingStopped When `hooks.stop` gives true.
 * @throws ExamplesMismatch When the examples do not fit the model, or are too few to split.
 * @throws ParamsMismatch When the parameters belong to another model or lack rates.
 */
export function learn(
  program: Program,
  params: Params,
  examples: Examples,
  plan: LearningPlan,
  hooks: LearningHooks,
): Update {
  checkParams(program.model, params, plan.algorithm === 'meta-sgd');
  checkRows(program.model, examples);
  let steps = 0;
  const context: LearningContext = {
    program,
    params,
    examples,
    seed: hooks.seed,
    step(run) {
      if (hooks.stop?.() === true) throw new TrainingStopped(steps);
      const loss = run();
      steps++;
      if (!Number.isFinite(loss)) throw new TrainingDiverged(steps, 'the loss');
      hooks.onStep?.(steps, loss);
    },
  };
  const { vector, weight, metrics, constantPredictor } = runAlgorithm(context, plan);
  keepLocal(vector, params);
  if (!isFinite(vector)) throw new TrainingDiverged(steps, 'the update');
  if (!Number.isFinite(metrics.lossAfter)) throw new TrainingDiverged(steps, 'the loss after it');
  const clipped = plan.clipNorm !== undefined && clipToNorm(vector, plan.clipNorm);
  return { vector, weight, metrics, diagnostics: { constantPredictor, clipped } };
}

function runAlgorithm(context: LearningContext, plan: LearningPlan): Learned {
  switch (plan.algorithm) {
    case 'fedavg':
      return fedavg(context, plan);
    case 'reptile':
      return reptile(context, plan);
    case 'fomaml':
      return fomaml(context, plan);
    case 'maml':
      return maml(context, plan);
    case 'meta-sgd':
      return metaSgd(context, plan);
  }
}

/** Whether all values are finite: a plain loop, which takes a fraction of the time of `every`. */
function isFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** Parameters that are not shared have no place in an update. */
function keepLocal(vector: Float32Array, { layout }: Params): void {
  for (const { role, share, offset, size } of layout.entries)
    if (share === 'local' && role !== 'statistic') vector.fill(0, offset, offset + size);
}
