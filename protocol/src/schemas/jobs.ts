import { Type, type Static } from 'typebox';
import { jobTransitions, type JobState } from '../states.ts';
import { CloudWork } from './plan.ts';
import { ids, Instant, MaybeInstant, Nullable, OneOf } from './resources.ts';

/** Training in the cloud: jobs of a task (docs/cloud.md). */
const closed = { additionalProperties: false } as const;

export const JobRequest = Type.Object(
  {
    work: CloudWork,
    version: Type.Optional(ids.version),
  },
  { ...closed, description: 'Train from, or judge, a version of the task; without one the current version.' },
);
export type JobRequest = Static<typeof JobRequest>;

export const Job = Type.Object({
  id: ids.job,
  taskId: ids.task,
  state: OneOf<JobState>(Object.keys(jobTransitions)),
  message: Nullable<string>(Type.String({ description: 'Why it failed or was cancelled.' })),
  work: CloudWork,
  backend: Type.String({ description: 'Where it runs.' }),
  attempts: Type.Integer({
    description: 'How often it was started: a job that its cluster lost is started again.',
  }),
  step: Nullable<number>(
    Type.Integer({ description: 'Of a plan with `hybrid`: the training round that it follows.' }),
  ),
  baseVersion: ids.version,
  publishedVersion: Nullable<Static<typeof ids.version>>(ids.version),
  metrics: Nullable<Record<string, unknown>>(Type.Object({}, { additionalProperties: true })),
  createdAt: Instant,
  startedAt: MaybeInstant,
  endedAt: MaybeInstant,
});
export type Job = Static<typeof Job>;

export const JobLog = Type.Object(
  { text: Type.String(), next: Type.Integer({ description: 'Ask from here for what follows.' }) },
  closed,
);
export type JobLog = Static<typeof JobLog>;
