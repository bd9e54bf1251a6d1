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
    eligible: Count(
      'Online, in no round, and with the labels of the cohort of a task that runs. Quotas and separation are looked at when a round asks.',
    ),
    working: Count('In a round now, from the offer to the upload.'),
    day: Count('Signed in within 24 hours.'),
    week: Count('Signed in within 7 days.'),
  }),
  platforms: Tally,
  sdkVersions: Tally,
  networks: Type.Unsafe<Static<typeof Tally>>({
    ...Tally,
    description:
      'Active devices by what they said of their network when they last signed in: `unmetered`, `metered`, or `` for nothing.',
  }),
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

const Bytes = (description: string) => Type.Integer({ description });

/** What waits and what runs. */
export const Load = Type.Object({
  jobs: Type.Object({
    waiting: Type.Integer(),
    running: Type.Integer(),
    longestWaitMs: Count('How long the oldest waiting job has waited; 0 when none does.'),
  }),
  rounds: Type.Record(Type.String(), Type.Integer(), { description: 'Rounds under way, by state.' }),
  overdueMs: Count('How long the most overdue round is past its deadline; 0 when none is.'),
  assignments: Type.Record(Type.String(), Type.Integer(), {
    description: 'Devices at work in rounds, by the state of their assignment.',
  }),
  groups: Type.Record(Type.String(), Type.Integer(), {
    description: 'Groups of secure tasks under way, by state.',
  }),
  staged: Type.Object(
    { updates: Type.Integer(), bytes: Type.Integer() },
    { description: 'Updates that were received and whose round is not over.' },
  ),
  blobs: Type.Object(
    { count: Type.Integer(), bytes: Type.Integer() },
    { description: 'Weights and other files that are kept.' },
  ),
});
export type Load = Static<typeof Load>;

export const Operations = Type.Object({
  node: Type.Object(
    {
      id: Type.String(),
      version: Type.String(),
      upMs: Count('Since this process was started.'),
      ready: Type.Boolean(),
      checks: Type.Array(Type.Object({ name: Type.String(), ready: Type.Boolean() })),
      reasons: Type.Array(Type.String(), { description: 'Why it is not ready.' }),
      eventLoop: Type.Object(
        {
          overMs: Count('The time over which this was measured.'),
          p50Ms: Type.Number(),
          p99Ms: Type.Number(),
          maxMs: Type.Number(),
          busy: Type.Number({ description: 'Share of that time in which it ran code, 0 to 1.' }),
        },
        { description: 'How late timers fire.' },
      ),
      memory: Type.Object({
        residentBytes: Bytes('What the process holds.'),
        heapBytes: Bytes('Objects of JavaScript.'),
        heapLimitBytes: Bytes('What those may take at the most.'),
        machineBytes: Bytes('What the process may hold: of its container, or else of the machine.'),
      }),
      database: Type.Object({
        kind: OneOf(['embedded', 'postgres']),
        busy: Type.Integer(),
        idle: Type.Integer(),
        waiting: Count('Queries and transactions that wait for a connection.'),
      }),
      blobs: OneOf(['files', 'object-store']),
      devices: Type.Object({
        socket: Count('Devices that are connected to this node.'),
        polling: Count('Devices that ask this node now and then.'),
      }),
    },
    { description: 'The process that answers; none of it is of one project.' },
  ),
  nodesAlive: Count('Servers that share the database and live.'),
  project: Load,
  everything: Type.Unsafe<(Load & { databaseBytes: number }) | null>({
    ...Nullable(
      Type.Intersect([Load, Type.Object({ databaseBytes: Bytes('What the database takes on disk.') })]),
    ),
    description: 'The same over all projects, for a `server` key alone; `null` for others.',
  }),
});
export type Operations = Static<typeof Operations>;

/** Rounds that the health of groups looks back on. */
export const groupHealthRounds = 100;

export const GroupHealth = Type.Object({
  minimum: Type.Unsafe<number | null>({
    ...Nullable(Type.Integer()),
    description: 'Fewest devices that a sum of the task may be of; `null` where updates travel in the clear.',
  }),
  rounds: Type.Array(
    Type.Object({
      round: ids.round,
      sequence: Type.Integer(),
      groups: Type.Integer(),
      summed: Type.Integer(),
      aborted: Type.Integer(),
      abortedBy: Type.Record(Type.String(), Type.Integer(), { description: 'By reason.' }),
      devices: Count('Devices in groups that have ended.'),
      lost: Count('Those of them that left before the end of a group that was summed.'),
      unused: Count('Those of them in aborted groups.'),
      smallest: Type.Integer(),
      largest: Type.Integer(),
      needed: Count('Devices that the smallest group needed to the end.'),
      medianMs: Type.Unsafe<number | null>({
        ...Nullable(Type.Integer()),
        description: 'How long summed groups took.',
      }),
    }),
    { description: `Rounds with groups, oldest first, at most the last ${groupHealthRounds}.` },
  ),
});
export type GroupHealth = Static<typeof GroupHealth>;

export const overviewEndpoints = {
  getOperations: {
    method: 'GET',
    path: '/v1/operations',
    tag: 'operations',
    summary: 'Read how the server is: health, queues, memory, storage',
    description:
      'The node that answers, the queues of the project, and for a `server` key those of all projects. More, and over time: docs/metrics.md.',
    role: 'admin',
    answer: Operations,
  },
  getGroupHealth: {
    method: 'GET',
    path: '/v1/tasks/:id/groups',
    tag: 'tasks',
    summary: 'Read how the groups of a secure task did, round by round',
    role: 'viewer',
    params: { id: ids.task },
    answer: GroupHealth,
  },
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
