import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { NotHere, PageFailed } from '../components/problem.tsx';
import { compareSearch, listSearch, newTaskSearch, taskSearch } from '../pages/tasks/search.ts';
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
  validateSearch: listSearch,
});
const newTask = createRoute({
  getParentRoute: () => root,
  path: '/tasks/new',
  component: lazyRouteComponent(() => import('../pages/tasks/create/new-task.tsx'), 'NewTask'),
  validateSearch: newTaskSearch,
});
const task = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$id',
  component: lazyRouteComponent(() => import('../pages/tasks/task.tsx'), 'TaskPage'),
  validateSearch: taskSearch,
});
const compare = createRoute({
  getParentRoute: () => root,
  path: '/compare',
  component: lazyRouteComponent(() => import('../pages/tasks/compare/compare.tsx'), 'Compare'),
  validateSearch: compareSearch,
});

/** Pages come when they are first gone to. */
export const router = createRouter({
  routeTree: root.addChildren([fleet, tasks, newTask, task, compare]),
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
