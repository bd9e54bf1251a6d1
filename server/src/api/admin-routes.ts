import { addAccessRoutes } from './access-routes.ts';
import { addAdminAccess, addAudit } from './admin-access.ts';
import { addDeviceAdministration } from './device-admin-routes.ts';
import { addEventRoute } from './event-route.ts';
import type { Api, ApiServices } from './http.ts';
import { addIdempotency } from './idempotency.ts';
import { addJobRoutes } from './job-routes.ts';
import { addModelRoutes } from './model-routes.ts';
import { addRoundRoutes } from './round-routes.ts';
import { addTaskRoutes } from './task-routes.ts';

/** The admin API: everything that the console, the command line and scripts do. Each route sees its own project only. */
export function addAdminRoutes(api: Api, services: ApiServices): void {
  const { database } = services.coordinator.context;
  addAdminAccess(api, { database, limits: services.limits, site: services.site });
  addIdempotency(api, services.coordinator.context, services.site); // a repeated answer is no new action: it ends a request before the audit log
  addAudit(api, database);
  addAccessRoutes(api, services);
  addDeviceAdministration(api, services);
  addModelRoutes(api, services);
  addTaskRoutes(api, services);
  addRoundRoutes(api, services);
  addJobRoutes(api, services);
  addEventRoute(api, services);
}
