import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { NotHere, PageFailed } from '../components/problem.tsx';
import { accessSearch } from '../pages/access/search.ts';
import { versionSearch } from '../pages/versions/search.ts';
import { compareSearch, listSearch, newTaskSearch, taskSearch } from '../pages/tasks/search.ts';
import { Frame } from './frame.tsx';
import { page } from './lazy-page.ts';

const root = createRootRoute({ component: Frame, notFoundComponent: NotHere });

const fleet = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/fleet/fleet.tsx'), 'Fleet'),
});
const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  component: page(() => import('../pages/tasks/task-list.tsx'), 'TaskList'),
  validateSearch: listSearch,
});
const newTask = createRoute({
  getParentRoute: () => root,
  path: '/tasks/new',
  component: page(() => import('../pages/tasks/create/new-task.tsx'), 'NewTask'),
  validateSearch: newTaskSearch,
});
const task = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$id',
  component: page(() => import('../pages/tasks/task.tsx'), 'TaskPage'),
  validateSearch: taskSearch,
});
const compare = createRoute({
  getParentRoute: () => root,
  path: '/compare',
  component: page(() => import('../pages/tasks/compare/compare.tsx'), 'Compare'),
  validateSearch: compareSearch,
});
const devices = createRoute({
  getParentRoute: () => root,
  path: '/devices',
  component: page(() => import('../pages/devices/device-list.tsx'), 'DeviceList'),
});
const device = createRoute({
  getParentRoute: () => root,
  path: '/devices/$deviceId',
  component: page(() => import('../pages/devices/device.tsx'), 'Device'),
});
const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  component: page(() => import('../pages/jobs/job-list.tsx'), 'JobList'),
});
const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$jobId',
  component: page(() => import('../pages/jobs/job.tsx'), 'Job'),
});
const access = createRoute({
  getParentRoute: () => root,
  path: '/access',
  component: page(() => import('../pages/access/access.tsx'), 'Access'),
  validateSearch: accessSearch,
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  component: page(() => import('../pages/audit/audit-log.tsx'), 'AuditLog'),
});
const operations = createRoute({
  getParentRoute: () => root,
  path: '/operations',
  component: page(() => import('../pages/operations/operations.tsx'), 'Operations'),
});

const taskRounds = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$id/rounds',
  component: page(() => import('../pages/rounds/round-list.tsx'), 'RoundList'),
});
const round = createRoute({
  getParentRoute: () => root,
  path: '/rounds/$id',
  validateSearch: ({ follow }: Record<string, unknown>): { follow?: true } =>
    follow === true ? { follow } : {},
  component: page(() => import('../pages/rounds/round.tsx'), 'RoundPage'),
});
const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  component: page(() => import('../pages/models/model-list.tsx'), 'ModelList'),
});
const model = createRoute({
  getParentRoute: () => root,
  path: '/models/$digest',
  component: page(() => import('../pages/models/model.tsx'), 'ModelPage'),
});
const version = createRoute({
  getParentRoute: () => root,
  path: '/versions/$id',
  validateSearch: versionSearch,
  component: page(() => import('../pages/versions/version.tsx'), 'VersionPage'),
});

/** Pages come when they are first gone to. */
export const router = createRouter({
  routeTree: root.addChildren([
    ...[fleet, tasks, newTask, task, taskRounds, compare, round],
    ...[models, model, version, devices, device, jobs, job, access, audit, operations],
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
