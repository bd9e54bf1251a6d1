import { Type, type Static } from 'typebox';
import {
  AssignmentStateSchema,
  EvaluationResult,
  ids,
  RoundKind,
  RoundStateSchema,
  TrainingMetrics,
} from '../schemas/resources.ts';
import { Instant, Nullable, OneOf, PageOf, PageQuery } from './common.ts';
import type { Endpoint } from './endpoint.ts';

const Count = (description: string) => Type.Integer({ description });

const Tally = Type.Array(
  Type.Object({ name: Type.String(), devices: Type.Integer(), seen: Type.Integer() }),
  { description: 'Active devices, and those of them seen within a week; most first, at most 20.' },
);

/** What asks for a person's attention. */
const alertKinds = ['task-failed', 'rounds-abandoned', 'too-few-online', 'job-failed'] as const;
export type AlertKind = (typeof alertKinds)[number];

export const Fleet = Type.Object({
  devices: Type.Object({
    active: Count('Enrolled and not revoked.'),
    revoked: Type.Integer(),
    online: Count('With a connection to the server that answers, or that asked it for work a moment ago.'),
    day: Count('Signed in within 24 hours.'),
    week: Count('Signed in within 7 days.'),
  }),
  platforms: Tally,
  sdkVersions: Tally,
  enrolled: Type.Array(Type.Object({ day: Type.String(), devices: Type.Integer() }), {
    description: 'Devices enrolled on each of the last 14 days (UTC), oldest first.',
  }),
  work: Type.Object({
    tasks: Count('Tasks that run.'),
    rounds: Count('Rounds under way.'),
    jobs: Count('Jobs in the cloud that wait or run.'),
    assignments: Type.Record(Type.String(), Type.Integer(), {
      description: 'Assignments under way, by state.',
    }),
  }),
  day: Type.Object(
    {
      published: Type.Integer(),
      abandoned: Type.Integer(),
      counted: Count('Updates that are in a published sum.'),
      dropped: Type.Record(Type.String(), Type.Integer(), { description: 'By reason.' }),
      bytesUp: Count('Bytes of the updates received.'),
    },
    { description: 'Rounds that ended within 24 hours.' },
  ),
  alerts: Type.Array(
    Type.Object({
      kind: OneOf(alertKinds),
      taskId: ids.task,
      task: Type.String({ description: 'Name of the task.' }),
      message: Type.String(),
      at: Instant,
    }),
    { description: 'Newest first, at most 20; each stands for as long as its cause.' },
  ),
});
export type Fleet = Static<typeof Fleet>;

export const CurvePoint = Type.Object({
  round: ids.round,
  sequence: Type.Integer(),
  kind: RoundKind,
  number: Type.Integer(),
  endedAt: Instant,
  devices: Type.Integer(),
  bytesUp: Count('Bytes of the updates of this round.'),
  training: Nullable(TrainingMetrics),
  evaluation: Type.Unsafe<Static<typeof EvaluationResult>[] | null>({
    ...Nullable(Type.Array(EvaluationResult)),
    description: 'Before and after adaptation, with the spread over devices.',
  }),
});
export type CurvePoint = Static<typeof CurvePoint>;

export const Curves = Type.Object({
  startedAt: Type.Unsafe<string | null>({
    ...Nullable(Instant),
    description: 'When the first round of the task opened.',
  }),
  points: Type.Array(CurvePoint, { description: 'Published training and evaluation rounds, oldest first.' }),
});
export type Curves = Static<typeof Curves>;

export const TaskCost = Type.Object({
  rounds: Type.Object({ published: Type.Integer(), abandoned: Type.Integer() }),
  updates: Type.Object({ counted: Type.Integer(), dropped: Type.Integer() }),
  deviceMs: Count('Time that devices spent between beginning to train and being ready, together.'),
  bytesUp: Type.Integer(),
  bytesDown: Count('Weights that devices fetched: one file for each that began to train.'),
});
export type TaskCost = Static<typeof TaskCost>;

/** One assignment of a device, as people see it: what of it the server knows. */
export const DeviceWork = Type.Object({
  id: ids.assignment,
  taskId: ids.task,
  task: Type.String({ description: 'Name of the task.' }),
  roundId: ids.round,
  roundNumber: Type.Integer(),
  kind: RoundKind,
  roundState: RoundStateSchema,
  state: AssignmentStateSchema,
  reason: Nullable(Type.String()),
  offeredAt: Instant,
  endedAt: Nullable(Instant),
  trainingMs: Nullable(Type.Integer()),
  bytesUp: Nullable(Type.Integer()),
});
export type DeviceWork = Static<typeof DeviceWork>;

export const overviewEndpoints = {
  getFleet: {
    method: 'GET',
    path: '/v1/fleet',
    tag: 'devices',
    summary: 'Read how the fleet is',
    role: 'viewer',
    answer: Fleet,
  },
  getCurves: {
    method: 'GET',
    path: '/v1/tasks/:id/curves',
    tag: 'tasks',
    summary: 'Read the learning curves of a task',
    role: 'viewer',
    params: { id: ids.task },
    answer: Curves,
  },
  getCost: {
    method: 'GET',
    path: '/v1/tasks/:id/cost',
    tag: 'tasks',
    summary: 'Read what a task has cost its devices',
    role: 'viewer',
    params: { id: ids.task },
    answer: TaskCost,
  },
  listDeviceWork: {
    method: 'GET',
    path: '/v1/devices/:id/work',
    tag: 'devices',
    summary: 'List what a device took part in, newest first',
    role: 'viewer',
    params: { id: ids.device },
    query: PageQuery,
    answer: PageOf(DeviceWork),
  },
} as const satisfies Record<string, Endpoint>;
