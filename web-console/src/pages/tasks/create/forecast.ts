import type { TaskValidation } from '@starling/protocol/api';
import { valueAt, type JsonObject } from '../../../components/plan/document.ts';

export interface Forecast {
  /** Rounds of judging between the training rounds. */
  readonly evaluations: number;
  /** Devices that fetch weights and work, over all rounds. */
  readonly participations: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
  readonly deviceMs: number;
  /** If every round takes as long as one device's work. */
  readonly leastMs: number;
  /** If every window is waited for to its end. */
  readonly mostMs: number;
}

/**
 * What a task would take: rounds, cohorts and bytes come from the plan and the model; `workMs`, the time of one device in
 * one round, is an assumption. Every device that is asked is taken to come, and updates to be as large as they may be.
 */
export function forecastOf(
  plan: JsonObject,
  estimate: NonNullable<TaskValidation['estimate']>,
  workMs: number,
): Forecast {
  const number = (path: string, otherwise: number) => {
    const value = valueAt(plan, path);
    return typeof value === 'number' ? value : otherwise;
  };
  const asked = Math.ceil(number('cohort.goal', 0) * number('cohort.overSelection', 1.3));
  const every = number('evaluation.everyRounds', 0);
  const evaluations = every > 0 ? Math.floor(estimate.rounds / every) : 0;
  const participations = estimate.rounds * asked + evaluations * number('evaluation.spec.goal', 0);
  const rounds = estimate.rounds + evaluations;
  const windowsMs = ['selectingMs', 'trainingMs', 'aggregatingMs'].reduce(
    (sum, name) => sum + number(`windows.${name}`, 0),
    0,
  );
  return {
    evaluations,
    participations,
    bytesDown: participations * estimate.bytesDown,
    bytesUp: estimate.rounds * asked * estimate.bytesUp,
    deviceMs: participations * workMs,
    leastMs: rounds * workMs,
    mostMs: rounds * windowsMs,
  };
}
