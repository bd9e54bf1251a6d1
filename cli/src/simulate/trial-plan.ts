import type { Plan } from '@starling/protocol';
import type { Algorithm } from '../demo/options.ts';
import { planFor, type Settings } from '../demo/plans.ts';

const minuteMs = 60_000;

/**
 * A plan to begin with: the demo's settings for this shape of data, with room for devices that do not come back, and ten
 * evaluations on the way.
 */
export function trialPlan(
  algorithm: Algorithm,
  settings: Settings,
  fleet: { training: number; heldOut: number; seed: number; standardises: boolean },
): Plan {
  const plan = planFor(algorithm, settings, { ...fleet, secure: false, kill: 0 });
  const { goal } = plan.cohort;
  /** Some of those that are held out: a round waits for as many to be there. */
  const judged = Math.min(Math.ceil(fleet.heldOut / 4), 20);
  return {
    ...plan,
    cohort: { ...plan.cohort, minimum: Math.ceil(goal * 0.6), overSelection: 1.3 },
    ...(plan.statistics && {
      statistics: {
        ...plan.statistics,
        goal: Math.min(fleet.training, 2 * goal),
        minimum: Math.min(fleet.training, goal),
      },
    }),
    windows: { selectingMs: 10 * minuteMs, trainingMs: 10 * minuteMs, aggregatingMs: 5 * minuteMs },
    ...(judged > 0 && {
      evaluation: {
        everyRounds: Math.max(1, Math.round(plan.rounds / 10)),
        spec: {
          ...{ goal: judged, minimum: 1, select: { split: 'held-out' } },
          ...{ supportShares: [0.5], steps: [1, 5] },
          rate: algorithm === 'meta-sgd' ? ('learned' as const) : settings.fineTuneRate,
        },
      },
    }),
  };
}
