import { accessEndpoints } from './access.ts';
import { deviceEndpoints } from './devices.ts';
import { forecastEndpoints } from './forecasts.ts';
import { jobEndpoints } from './jobs.ts';
import { modelEndpoints } from './models.ts';
import { overviewEndpoints } from './overview.ts';
import { roundEndpoints } from './rounds.ts';
import { taskEndpoints } from './tasks.ts';

/** The admin API, by operation: the server registers its routes from this table, and the client calls them by it. */
export const endpoints = {
  ...accessEndpoints,
  ...deviceEndpoints,
  ...overviewEndpoints,
  ...modelEndpoints,
  ...taskEndpoints,
  ...forecastEndpoints,
  ...roundEndpoints,
  ...jobEndpoints,
} as const;

export type Endpoints = typeof endpoints;
export type Operation = keyof Endpoints;
