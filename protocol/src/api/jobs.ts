import { Type, type Static } from 'typebox';
import { CloudWork } from '../schemas/plan.ts';
import { ids } from '../schemas/resources.ts';
import { jobTransitions, type JobState } from '../states.ts';
import { closed, exampleId, Instant, Nullable, OneOf, PageOf, PageQuery } from './common.ts';
import type { Endpoint } from './endpoint.ts';

/** Training in the cloud: jobs of a task (docs/cloud.md). */
export const JobRequest = Type.Object(
  { work: CloudWork, version: Type.Optional(ids.version) },
  { ...closed, description: 'Train from, or judge, a version of the task; without one the current version.' },
);
export type JobRequest = Static<typeof JobRequest>;

export const Job = Type.Object({
  id: ids.job,
  taskId: ids.task,
  state: OneOf(Object.keys(jobTransitions) as JobState[]),
  message: Nullable(Type.String({ description: 'Why it failed or was cancelled.' })),
  work: CloudWork,
  backend: Type.String({ description: 'Where it runs; empty until that is decided.' }),
  attempts: Type.Integer({
    description: 'How often it was started: one that its cluster lost is started again.',
  }),
  step: Nullable(
    Type.Integer({ description: 'Of a plan with `hybrid`: the training round that it follows.' }),
  ),
  baseVersion: ids.version,
  publishedVersion: Nullable(ids.version),
  metrics: Nullable(Type.Object({}, { additionalProperties: true })),
  createdAt: Instant,
  startedAt: Nullable(Instant),
  endedAt: Nullable(Instant),
});
export type Job = Static<typeof Job>;

export const JobLog = Type.Object(
  { text: Type.String(), next: Type.Integer({ description: 'Ask from here for what follows.' }) },
  closed,
);
export type JobLog = Static<typeof JobLog>;

export const jobEndpoints = {
  createJob: {
    method: 'POST',
    path: '/v1/tasks/:id/jobs',
    tag: 'jobs',
    summary: 'Train or judge a task in the cloud',
    description:
      'What a job of kind warm-start or distil leaves becomes the next version of the task, which must be a draft or paused.',
    role: 'operator',
    params: { id: ids.task },
    body: JobRequest,
    example: {
      work: { kind: 'evaluate', data: 'proxy', training: { supportShares: [0.5], steps: [1], rate: 0.1 } },
      version: exampleId('ver'),
    },
    answer: Job,
    status: 201,
  },
  listTaskJobs: {
    method: 'GET',
    path: '/v1/tasks/:id/jobs',
    tag: 'jobs',
    summary: 'List the jobs of a task, newest first',
    role: 'viewer',
    params: { id: ids.task },
    query: PageQuery,
    answer: PageOf(Job),
  },
  listJobs: {
    method: 'GET',
    path: '/v1/jobs',
    tag: 'jobs',
    summary: 'List jobs, newest first',
    role: 'viewer',
    query: PageQuery,
    answer: PageOf(Job),
  },
  getJob: {
    method: 'GET',
    path: '/v1/jobs/:id',
    tag: 'jobs',
    summary: 'Read a job',
    role: 'viewer',
    params: { id: ids.job },
    answer: Job,
  },
  getJobLog: {
    method: 'GET',
    path: '/v1/jobs/:id/log',
    tag: 'jobs',
    summary: 'Read what a job has written',
    description: 'Answers with what follows `from`; ask again from `next`.',
    role: 'viewer',
    params: { id: ids.job },
    query: Type.Object({ from: Type.Integer({ minimum: 0, default: 0 }) }, closed),
    answer: JobLog,
  },
  cancelJob: {
    method: 'POST',
    path: '/v1/jobs/:id/cancel',
    tag: 'jobs',
    summary: 'Cancel a job',
    role: 'operator',
    params: { id: ids.job },
    answer: Job,
  },
} as const satisfies Record<string, Endpoint>;
