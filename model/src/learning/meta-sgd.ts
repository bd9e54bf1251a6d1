import type { Learned, LearningContext, MetaSgdPlan } from './contract.ts';
import { learnFromEpisode } from './episode.ts';

/**
 * Meta-SGD: theta' = theta - rate * gradient, element by element, and the meta-gradient with respect to theta and rate alike
 * (Li, Zhou, Chen, Li 2017, algorithm 1). The rates travel with the parameters.
 */
export function metaSgd(context: LearningContext, plan: MetaSgdPlan): Learned {
  return learnFromEpisode(context, plan, { innerRate: 'learned', order: 2 });
}
