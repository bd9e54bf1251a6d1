import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { NotHere, PageFailed } from '../components/problem.tsx';
import { versionSearch } from '../pages/versions/search.ts';
import { Frame } from './frame.tsx';

const root = createRootRoute({ component: Frame, notFoundComponent: NotHere });

const fleet = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/fleet/fleet.tsx'), 'Fleet'),
});
const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  component: lazyRouteComponent(() => import('../pages/tasks/task-list.tsx'), 'TaskList'),
});
const devices = createRoute({
  getParentRoute: () => root,
  path: '/devices',
  component: lazyRouteComponent(() => import('../pages/devices/device-list.tsx'), 'DeviceList'),
});
const device = createRoute({
  getParentRoute: () => root,
  path: '/devices/$deviceId',
  component: lazyRouteComponent(() => import('../pages/devices/device.tsx'), 'Device'),
});
const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  component: lazyRouteComponent(() => import('../pages/jobs/job-list.tsx'), 'JobList'),
});
const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$jobId',
  component: lazyRouteComponent(() => import('../pages/jobs/job.tsx'), 'Job'),
});
const access = createRoute({
  getParentRoute: () => root,
  path: '/access',
  component: lazyRouteComponent(() => import('../pages/access/access.tsx'), 'Access'),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  component: lazyRouteComponent(() => import('../pages/audit/audit-log.tsx'), 'AuditLog'),
});

const taskRounds = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$id/rounds',
  component: lazyRouteComponent(() => import('../pages/rounds/round-list.tsx'), 'RoundList'),
});
const round = createRoute({
  getParentRoute: () => root,
  path: '/rounds/$id',
  validateSearch: ({ follow }: Record<string, unknown>): { follow?: true } =>
    follow === true ? { follow } : {},
  component: lazyRouteComponent(() => import('../pages/rounds/round.tsx'), 'RoundPage'),
});
const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  component: lazyRouteComponent(() => import('../pages/models/model-list.tsx'), 'ModelList'),
});
const model = createRoute({
  getParentRoute: () => root,
  path: '/models/$digest',
  component: lazyRouteComponent(() => import('../pages/models/model.tsx'), 'ModelPage'),
});
const version = createRoute({
  getParentRoute: () => root,
  path: '/versions/$id',
  validateSearch: versionSearch,
  component: lazyRouteComponent(() => import('../pages/versions/version.tsx'), 'VersionPage'),
});

/** Pages come when they are first gone to. */
export const router = createRouter({
  routeTree: root.addChildren([
    fleet,
    tasks,
    taskRounds,
    round,
    models,
    model,
    version,
    devices,
    device,
    jobs,
    job,
    access,
    audit,
  ]),
  basepath: '/console',
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
