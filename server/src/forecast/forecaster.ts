import type { Plan, ProjectId } from '@starling/protocol';
import type { ForecastRequest, TaskForecast } from '@starling/protocol/api';

/** A task to be played without training; its plan fits its model. */
export interface ForecastOrder extends Required<Pick<ForecastRequest, 'devices' | 'rows' | 'seed'>> {
  /** Who asks: one project's forecasts do not keep another's waiting. */
  readonly projectId: ProjectId;
  readonly ir: unknown;
  readonly plan: Plan;
  readonly fleet: ForecastRequest['fleet'];
}

/** Plays a task's rounds in virtual time. The simulator does; it stands on the server's rules, so it is handed in. */
export interface Forecaster {
  /** Gives up when `gone` aborts. @throws ProblemError `forecast-refused`, `rate-limited` */
  forecast(order: ForecastOrder, gone?: AbortSignal): Promise<TaskForecast>;
}
