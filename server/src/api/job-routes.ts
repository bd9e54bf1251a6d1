import { ProblemError, type TaskId } from '@starling/protocol';
import * as schema from '@starling/protocol/schemas';
import { Type } from 'typebox';
import { readTask } from '../coordinator/views.ts';
import { jobView, readJob, type JobRow } from '../training/job-rows.ts';
import { cancelJob, createJob } from '../training/jobs.ts';
import { projectOf, type Api, type ApiServices } from './http.ts';
import { problemResponses } from './openapi.ts';
import { PageQuery, readPage } from './pages.ts';

/** Training in the cloud: jobs of a task. Registered beside the admin routes, under their check of the key. */
export function addJobRoutes(api: Api, { coordinator }: ApiServices): void {
  const { context } = coordinator;
  const { database } = context;
  const about = (
    summary: string,
    answer: object,
    status: 200 | 201 = 200,
  ): { response: object } & Record<string, unknown> => ({
    tags: ['admin'],
    summary,
    response: { [status]: answer, ...problemResponses },
  });
  const taskParams = Type.Object({ id: schema.ids.task });
  const jobParams = Type.Object({ id: schema.ids.job });
  const checkOwner = async (projectId: string, id: TaskId) => {
    const task = await readTask(database, id);
    if (task.project_id !== projectId) throw new ProblemError('not-found', `There is no task ${id}.`);
  };
  const owned = async (projectId: string, id: JobRow['id']): Promise<JobRow> => {
    const job = await readJob(database, id);
    if (job.project_id !== projectId) throw new ProblemError('not-found', `There is no job ${id}.`);
    return job;
  };

  api.post(
    '/v1/tasks/:id/jobs',
    {
      schema: {
        ...about('Train or judge a task in the cloud', schema.Job, 201),
        description:
          'What a job of kind warm-start or distil leaves becomes the next version of the task, which must be a draft or paused.',
        params: taskParams,
        body: schema.JobRequest,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await checkOwner(projectOf(request), id);
      const { work, version } = request.body;
      return reply.status(201).send(await createJob(context, id, work, version));
    },
  );
  api.get(
    '/v1/tasks/:id/jobs',
    {
      schema: {
        ...about('List the jobs of a task, newest first', schema.Page(schema.Job)),
        params: taskParams,
        querystring: PageQuery,
      },
    },
    async (request) => {
      const { id } = request.params;
      await checkOwner(projectOf(request), id);
      return pageOf({ condition: 'task_id = $1', values: [id] }, request.query);
    },
  );
  api.get(
    '/v1/jobs',
    { schema: { ...about('List jobs, newest first', schema.Page(schema.Job)), querystring: PageQuery } },
    (request) => pageOf({ condition: 'project_id = $1', values: [projectOf(request)] }, request.query),
  );
  api.get(
    '/v1/jobs/:id',
    { schema: { ...about('Read a job', schema.Job), params: jobParams } },
    async (request) => jobView(await owned(projectOf(request), request.params.id)),
  );
  api.get(
    '/v1/jobs/:id/logs',
    {
      schema: {
        ...about('Read what a job has written', schema.JobLog),
        description: 'Answers with what follows `from`; ask again from `next`.',
        params: jobParams,
        querystring: Type.Object({ from: Type.Integer({ minimum: 0, default: 0 }) }),
      },
    },
    async (request) => {
      const { id, backend } = await owned(projectOf(request), request.params.id);
      const { from } = request.query;
      return backend === '' ? { text: '', next: from } : context.cloud.backend(backend).logs(id, from);
    },
  );
  api.post(
    '/v1/jobs/:id/cancel',
    { schema: { ...about('Cancel a job', schema.Job), params: jobParams } },
    async (request) => {
      await owned(projectOf(request), request.params.id);
      return cancelJob(context, request.params.id);
    },
  );

  async function pageOf(source: { condition: string; values: readonly unknown[] }, query: PageQuery) {
    const page = await readPage<JobRow>(database, { table: 'jobs', ...source, column: 'created_at' }, query);
    return { ...page, items: page.items.map(jobView) };
  }
}
