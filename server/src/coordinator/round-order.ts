import type { EvaluationSpec, Labels, Plan, RoundKind } from '@starling/protocol';

/** A round as it is opened. */
export interface RoundSpec {
  kind: RoundKind;
  number: number;
  goal: number;
  minimum: number;
  target: number;
  selection: Labels;
  evaluation: EvaluationSpec | null;
  /** Whether someone asked for it, outside the plan's own sequence of rounds. */
  requested: boolean;
}

/** Whether a plan takes a step in the cloud after so many training rounds, before whatever round comes next. */
export function wantsCloudStep({ hybrid, rounds }: Plan, published: number): boolean {
  return hybrid !== undefined && published > 0 && published < rounds && published % hybrid.everyRounds === 0;
}

/**
 * What a plan wants after `published` training rounds, or `undefined` when all are published. `done` says which of its other
 * rounds need no repetition: `statistics`, and `evaluation <published>`.
 */
export function wantedRound(
  plan: Plan,
  published: number,
  done: { has(round: string): boolean },
): RoundSpec | undefined {
  const spec = (
    kind: RoundKind,
    cohort: { goal: number; minimum: number; select?: Labels },
    target: number,
  ) => ({
    kind,
    goal: cohort.goal,
    minimum: cohort.minimum,
    target,
    selection: cohort.select ?? {},
    evaluation: null,
    requested: false,
  });
  if (plan.statistics && !done.has('statistics')) {
    return { ...spec('statistics', plan.statistics, plan.statistics.goal), number: published };
  }
  const { evaluation } = plan;
  if (evaluation && published > 0 && published % evaluation.everyRounds === 0) {
    if (!done.has(`evaluation ${published}`)) {
      const base = spec('evaluation', evaluation.spec, evaluation.spec.goal);
      return { ...base, number: published, evaluation: evaluation.spec };
    }
  }
  if (published >= plan.rounds) return undefined;
  const target = Math.ceil(plan.cohort.goal * plan.cohort.overSelection);
  return { ...spec('training', plan.cohort, target), number: published + 1 };
}
