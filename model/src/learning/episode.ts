import { ExamplesMismatch } from '../program/errors.ts';
import type { Batch, MetaRequest } from '../program/program.ts';
import { stream } from '../random/streams.ts';
import type { Learned, LearningContext, MamlPlan, MetaSgdPlan } from './contract.ts';
import { metricsOf } from './local-training.ts';
import { splitRows } from './split.ts';

/**
 * One meta-learning task, as every MAML-like method sees it: adapt to a support, be judged on a query, and send the
 * negative meta-gradient. Every person counts the same.
 */
export function learnFromEpisode(
  context: LearningContext,
  plan: MamlPlan | MetaSgdPlan,
  inner: Pick<MetaRequest, 'innerRate' | 'order'>,
): Learned {
  const { program, params } = context;
  const { support, query } = drawEpisode(context, plan);
  const before = program.evaluate(params, query);
  const slope = new Float32Array(params.layout.learnable.size);
  let after = before;
  context.step(() => {
    const outcome = program.metaGradient(
      params,
      { support, query, innerSteps: plan.innerSteps, ...inner },
      slope,
    );
    after = outcome.after;
    // An inner loss that exploded counts as divergence, even if the query's came out finite.
    return outcome.innerLosses.every(Number.isFinite) ? after.loss / after.count : NaN;
  });
  return {
    vector: slope.map((value) => -value),
    weight: 1,
    metrics: metricsOf(before, after),
    constantPredictor: after.constantPredictor,
  };
}

/** The seed draws the share of the support, and the query rows where the second half has more than the plan judges. */
function drawEpisode(
  { program, examples, seed }: LearningContext,
  { supportShares, maxQuery }: MamlPlan | MetaSgdPlan,
): { support: Batch; query: Batch } {
  const random = stream(seed, 'episode');
  const share = supportShares[random.below(supportShares.length)];
  const { support, query } = splitRows(examples, program.model.classes, share);
  if (support.length === 0 || query.length === 0)
    throw new ExamplesMismatch(
      `${examples.count} rows give ${support.length} support and ${query.length} query rows; meta-learning needs some of both: gather more rows of each class, or more recordings.`,
    );
  random.shuffle(query);
  const drawn = query.slice(0, maxQuery).sort();
  return { support: { ...examples, rows: support }, query: { ...examples, rows: drawn } };
}
