import type { Learned, LearningContext, MamlPlan } from './contract.ts';
import { learnFromEpisode } from './episode.ts';

/** MAML: the gradient of the query loss through the inner steps (Finn, Abbeel, Levine 2017, algorithm 2). */
export function maml(context: LearningContext, plan: MamlPlan): Learned {
  return learnFromEpisode(context, plan, { innerRate: plan.innerRate, order: 2 });
}
