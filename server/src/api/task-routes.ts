import { cloneTask, ownedTask, validateTask } from '../coordinator/task-drafts.ts';
import type { RoundRow, TaskRow } from '../coordinator/rows.ts';
import { roundView, taskView } from '../coordinator/views.ts';
import { forecastTask } from '../forecast/forecast-task.ts';
import { groupHealthOf } from '../overview/group-health.ts';
import { costOf, curvesOf } from '../overview/task-overview.ts';
import type { Api, ApiServices } from './http.ts';
import { readPage } from './pages.ts';
import { serve } from './serve.ts';

/** Tasks: drafts, their life, and judging their versions. */
export function addTaskRoutes(api: Api, { coordinator, forecaster }: ApiServices): void {
  const { context } = coordinator;
  const { database } = context;

  serve(api, 'createTask', ({ caller, body, commit }) =>
    coordinator.createTask(caller.projectId, body, commit),
  );
  serve(api, 'validateTask', ({ caller, body }) => validateTask(context, caller.projectId, body), {
    bodyLimit: 4 << 20,
  });
  serve(
    api,
    'forecastTask',
    ({ caller, body, gone }) => forecastTask(context, forecaster, caller.projectId, body, gone()),
    { bodyLimit: 4 << 20 },
  );
  serve(api, 'listTasks', async ({ caller, query }) => {
    const { state = null, name = null } = query;
    const page = await readPage<TaskRow>(
      database,
      {
        table: 'tasks',
        condition: `project_id = $1 and ($2::text is null or state = $2)
          and ($3::text is null or strpos(lower(name), lower($3)) > 0)`,
        values: [caller.projectId, state, name],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(taskView) };
  });
  serve(api, 'getTask', async ({ caller, params }) =>
    taskView(await ownedTask(database, caller.projectId, params.id)),
  );
  serve(api, 'cloneTask', ({ caller, params, body, commit }) =>
    cloneTask(context, caller.projectId, params.id, body, commit),
  );
  for (const action of ['start', 'pause', 'resume', 'cancel'] as const) {
    serve(api, `${action}Task`, async ({ caller, params, commit }) => {
      const { id } = await ownedTask(database, caller.projectId, params.id);
      return coordinator[`${action}Task`](id, commit);
    });
  }
  serve(api, 'evaluateTask', async ({ caller, params, body, commit }) => {
    const { id } = await ownedTask(database, caller.projectId, params.id);
    return coordinator.requestEvaluation(id, body.spec, body.version, commit);
  });
  serve(api, 'listRounds', async ({ caller, params, query }) => {
    const task = await ownedTask(database, caller.projectId, params.id);
    const page = await readPage<RoundRow>(
      database,
      { table: 'rounds', condition: 'task_id = $1', values: [task.id], column: 'sequence' },
      query,
    );
    return { ...page, items: page.items.map(roundView) };
  });
  serve(api, 'getCurves', async ({ caller, params }) => {
    const { id } = await ownedTask(database, caller.projectId, params.id);
    return curvesOf(database, id);
  });
  serve(api, 'getGroupHealth', async ({ caller, params }) => {
    const { id } = await ownedTask(database, caller.projectId, params.id);
    return groupHealthOf(database, id);
  });
  serve(api, 'getCost', async ({ caller, params }) => {
    const { id } = await ownedTask(database, caller.projectId, params.id);
    return costOf(database, id);
  });
}
