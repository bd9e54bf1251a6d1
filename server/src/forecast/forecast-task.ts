import { ProblemError, type Plan, type ProjectId } from '@starling/protocol';
import {
  devicesOfNobody,
  mostDevices,
  type ForecastRequest,
  type TaskForecast,
} from '@starling/protocol/api';
import type { Context } from '../coordinator/context.ts';
import { validateTask } from '../coordinator/task-drafts.ts';
import type { Forecaster } from './forecaster.ts';

/**
 * What a plan would take of virtual devices, as many as the cohort may be chosen from unless the request says. It is given
 * up when `gone` aborts.
 * @throws ProblemError `not-found` for another project's model, `invalid-request`, `invalid-plan`, `forecast-refused`, `rate-limited`
 */
export async function forecastTask(
  context: Context,
  forecaster: Forecaster | undefined,
  projectId: ProjectId,
  { model, ir: given, plan, devices, rows = 100, fleet, seed = 1 }: ForecastRequest,
  gone?: AbortSignal,
): Promise<TaskForecast> {
  if ((model === undefined) === (given === undefined))
    throw new ProblemError('invalid-request', 'A forecast needs either "model" (a digest) or "ir".');
  const ir = model === undefined ? given : (await context.models.get(projectId, model)).ir;
  const { problems, estimate } = await validateTask(context, projectId, { name: 'forecast', ir, plan });
  const [first] = problems;
  if (!estimate) {
    const errors = problems.map(({ pointer, message }) => ({ path: pointer, message }));
    throw new ProblemError('invalid-plan', `${first?.pointer ?? ''} ${first?.message ?? ''}`.trim(), {
      errors,
    });
  }
  if (!forecaster)
    throw new ProblemError(
      'forecast-refused',
      'This server was started without a simulator to foretell with.',
    );
  const order = {
    ...{ projectId, ir, rows, fleet, seed },
    plan: onAnyDevices(plan),
    devices: devices ?? devicesFor(plan, estimate.devices),
  };
  return forecaster.forecast(order, gone);
}

/** As many as there are, if they can fill the largest round of a plan. */
function devicesFor({ cohort, statistics, evaluation }: Plan, there: number): number {
  const asked = Math.ceil(cohort.goal * cohort.overSelection);
  const wanted = Math.max(asked, statistics?.goal ?? 0, evaluation?.spec.goal ?? 0);
  return Math.min(mostDevices, there >= wanted ? there : Math.max(wanted, devicesOfNobody));
}

/** The plan without what virtual devices have not: labels, and a cloud beside them. */
function onAnyDevices(plan: Plan): Plan {
  const played = structuredClone(plan);
  delete played.hybrid;
  for (const cohort of [played.cohort, played.statistics, played.evaluation?.spec]) delete cohort?.select;
  return played;
}
