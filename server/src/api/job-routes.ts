import { ProblemError, type JobId, type ProjectId } from '@starling/protocol';
import type { PageQuery } from '@starling/protocol/api';
import { ownedTask } from '../coordinator/task-drafts.ts';
import { jobView, readJob, type JobRow } from '../training/job-rows.ts';
import { cancelJob, createJob } from '../training/jobs.ts';
import type { Api, ApiServices } from './http.ts';
import { readPage } from './pages.ts';
import { serve } from './serve.ts';

/** Training in the cloud: jobs of a task. */
export function addJobRoutes(api: Api, { coordinator: { context } }: ApiServices): void {
  const { database } = context;
  const owned = async (projectId: ProjectId, id: JobId): Promise<JobRow> => {
    const job = await readJob(database, id);
    if (job.project_id !== projectId) throw new ProblemError('not-found', `There is no job ${id}.`);
    return job;
  };
  const pageOf = async (condition: string, value: string, query: PageQuery) => {
    const source = { table: 'jobs', condition: `${condition} = $1`, values: [value], column: 'created_at' };
    const page = await readPage<JobRow>(database, source, query);
    return { ...page, items: page.items.map(jobView) };
  };

  serve(api, 'createJob', async ({ caller, params, body, commit }) => {
    const { id } = await ownedTask(database, caller.projectId, params.id);
    return createJob(context, id, body.work, body.version, commit);
  });
  serve(api, 'listTaskJobs', async ({ caller, params, query }) => {
    const { id } = await ownedTask(database, caller.projectId, params.id);
    return pageOf('task_id', id, query);
  });
  serve(api, 'listJobs', ({ caller, query }) => pageOf('project_id', caller.projectId, query));
  serve(api, 'getJob', async ({ caller, params }) => jobView(await owned(caller.projectId, params.id)));
  serve(api, 'getJobLog', async ({ caller, params, query: { from } }) => {
    const { id, backend } = await owned(caller.projectId, params.id);
    return backend === '' ? { text: '', next: from } : context.cloud.backend(backend).logs(id, from);
  });
  serve(api, 'cancelJob', async ({ caller, params }) => {
    const { id } = await owned(caller.projectId, params.id);
    return cancelJob(context, id);
  });
}
