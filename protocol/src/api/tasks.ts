import { Type, type Static } from 'typebox';
import { Plan } from '../schemas/plan.ts';
import { EvaluationRequest, ids, Round, Task, TaskRequest, TaskStateSchema } from '../schemas/resources.ts';
import { closed, exampleId, filteredPageQuery, Name, Nullable, PageOf } from './common.ts';
import type { Endpoint } from './endpoint.ts';

/** The answer of a dry run: everything wrong with a task at once, or what it would take. */
export const TaskValidation = Type.Object({
  valid: Type.Boolean(),
  problems: Type.Array(
    Type.Object({
      pointer: Type.String({ description: 'JSON Pointer (RFC 6901) into the request.' }),
      message: Type.String(),
    }),
  ),
  estimate: Nullable(
    Type.Object({
      parameters: Type.Integer({ description: 'Learnable values, learned rates included.' }),
      bytesDown: Type.Integer({ description: 'Bytes of the weights that a device fetches a round.' }),
      bytesUp: Type.Integer({ description: 'Bytes of one update, at most, in the clear.' }),
      rounds: Type.Integer({ description: 'Training rounds.' }),
      updates: Type.Integer({ description: 'Updates that the training rounds aim at, together.' }),
      devices: Type.Integer({ description: 'Active devices that the cohort may be chosen from.' }),
      online: Type.Integer({ description: 'Of these, how many can be reached now.' }),
    }),
  ),
});
export type TaskValidation = Static<typeof TaskValidation>;

const TaskCloneRequest = Type.Object(
  {
    name: Type.Optional(Name),
    plan: Type.Optional(Plan),
    weights: Type.Optional(ids.version),
  },
  {
    ...closed,
    description:
      'What differs from the task that is cloned. `weights`: a version to start from; else fresh ones by the seed.',
  },
);

const examplePlan = {
  learning: { algorithm: 'reptile', steps: 10, batchSize: 16, rate: 0.05 },
  optimiser: { kind: 'sgd', rate: { from: 1, to: 0.1 } },
  rounds: 20,
  cohort: { goal: 20, minimum: 10, overSelection: 1.3 },
  windows: { selectingMs: 600_000, trainingMs: 120_000, aggregatingMs: 60_000 },
  adaptation: { steps: 5, rate: 0.05 },
};
/** A task that examples are about. */
export const exampleTask = { name: 'wrist', model: 'a'.repeat(64), plan: examplePlan };

const taskAction = (action: 'start' | 'pause' | 'resume' | 'cancel', description: string) =>
  ({
    method: 'POST',
    path: `/v1/tasks/:id/${action}`,
    tag: 'tasks',
    summary: `${action.charAt(0).toUpperCase()}${action.slice(1)} a task`,
    description,
    role: 'operator',
    params: { id: ids.task },
    answer: Task,
  }) as const satisfies Endpoint;

export const taskEndpoints = {
  createTask: {
    method: 'POST',
    path: '/v1/tasks',
    tag: 'tasks',
    summary: 'Create a task',
    description:
      'A task is a model, a plan and the rules of its cohort (docs/plan.md). It starts as a draft.',
    role: 'operator',
    body: TaskRequest,
    example: exampleTask,
    answer: Task,
    status: 201,
  },
  validateTask: {
    method: 'POST',
    path: '/v1/tasks/validate',
    tag: 'tasks',
    summary: 'Try a task without creating it',
    description:
      'Takes what "Create a task" takes, or the IR itself (`ir`) in place of `model`; answers with all problems at once.',
    role: 'operator',
    body: Type.Unsafe<object>({ type: 'object' }),
    example: exampleTask,
    answer: TaskValidation,
    readOnly: true,
  },
  listTasks: {
    method: 'GET',
    path: '/v1/tasks',
    tag: 'tasks',
    summary: 'List tasks',
    description: 'Newest first. Filters are joined by "and".',
    role: 'viewer',
    query: filteredPageQuery({
      state: Type.Optional(TaskStateSchema),
      name: Type.Optional(
        Type.String({ maxLength: 128, description: 'A part of the name, in whatever case.' }),
      ),
    }),
    answer: PageOf(Task),
  },
  getTask: {
    method: 'GET',
    path: '/v1/tasks/:id',
    tag: 'tasks',
    summary: 'Read a task',
    role: 'viewer',
    params: { id: ids.task },
    answer: Task,
  },
  cloneTask: {
    method: 'POST',
    path: '/v1/tasks/:id/clone',
    tag: 'tasks',
    summary: 'Create a draft like this task',
    role: 'operator',
    params: { id: ids.task },
    body: TaskCloneRequest,
    example: { name: 'wrist, once more' },
    answer: Task,
    status: 201,
  },
  startTask: taskAction('start', 'Its first round opens at once.'),
  pauseTask: taskAction('pause', 'The round under way goes on to its end; no other opens.'),
  resumeTask: taskAction('resume', 'Its next round opens at once.'),
  cancelTask: taskAction(
    'cancel',
    'The round under way is abandoned. There is no way back: clone it instead.',
  ),
  evaluateTask: {
    method: 'POST',
    path: '/v1/tasks/:id/evaluations',
    tag: 'tasks',
    summary: 'Judge a version on devices',
    role: 'operator',
    params: { id: ids.task },
    body: EvaluationRequest,
    example: {
      spec: { goal: 3, minimum: 1, supportShares: [0.5], steps: [1], rate: 0.05 },
      version: exampleId('ver'),
    },
    answer: Round,
    status: 201,
  },
} as const satisfies Record<string, Endpoint>;
