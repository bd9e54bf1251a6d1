import type { Learned, LearningContext, MamlPlan } from './contract.ts';
import { learnFromEpisode } from './episode.ts';

/**
 * First-order MAML: the gradient at the adapted weights, as if the inner steps had been a constant (Finn, Abbeel, Levine
 * 2017, section 5.2). Fragile with several inner steps on convolutions: watch `constantPredictor`.
 */
export function fomaml(context: LearningContext, plan: MamlPlan): Learned {
  return learnFromEpisode(context, plan, { innerRate: plan.innerRate, order: 1 });
}
