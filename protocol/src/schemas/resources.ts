import { Type, type Static, type TUnsafe } from 'typebox';
import { idPattern, type IdKind, type IdOf } from '../ids.ts';
import {
  assignmentTransitions,
  groupTransitions,
  jobTransitions,
  roundTransitions,
  taskTransitions,
  type AssignmentState,
  type GroupState,
  type JobState,
  type RoundState,
  type TaskState,
} from '../states.ts';
import { EvaluationSpec, Labels, LearningPlan, Plan, Eligibility, AdaptationRate } from './plan.ts';

const closed = { additionalProperties: false } as const;

function Id<K extends IdKind>(kind: K): TUnsafe<IdOf[K]> {
  return Type.Unsafe<IdOf[K]>({ type: 'string', pattern: idPattern(kind) });
}
export function OneOf<T extends string>(values: readonly string[]): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: [...values] });
}
export function Nullable<T>(schema: object): TUnsafe<T | null> {
  return Type.Unsafe<T | null>({ anyOf: [schema, { type: 'null' }] });
}

export const ids = {
  project: Id('project'),
  device: Id('device'),
  task: Id('task'),
  round: Id('round'),
  group: Id('group'),
  assignment: Id('assignment'),
  version: Id('version'),
  job: Id('job'),
  key: Id('key'),
  enrolmentToken: Id('enrolmentToken'),
  release: Id('release'),
  person: Id('person'),
  member: Id('member'),
};

export const Sha256Schema = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal.' });
export const Base64Url = (bytes: number) =>
  Type.String({
    pattern: `^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`,
    description: `${bytes} bytes, base64url.`,
  });
export const Instant = Type.String({ format: 'date-time', description: 'Database time, RFC 3339.' });
export const MaybeInstant = Nullable<string>(Instant);
const Name = Type.String({ minLength: 1, maxLength: 128 });

export const TaskStateSchema = OneOf<TaskState>(Object.keys(taskTransitions));
export const RoundStateSchema = OneOf<RoundState>(Object.keys(roundTransitions));
export const AssignmentStateSchema = OneOf<AssignmentState>(Object.keys(assignmentTransitions));
export const GroupStateSchema = OneOf<GroupState>(Object.keys(groupTransitions));
export const RoundKind = OneOf<'statistics' | 'training' | 'evaluation'>([
  'statistics',
  'training',
  'evaluation',
]);
export type RoundKind = Static<typeof RoundKind>;

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
    offset: Type.Optional(Type.Integer()),
    refusal: Type.Optional(Type.String()),
    retryAfterMs: Type.Optional(Type.Integer()),
  },
  { title: 'Problem', description: 'RFC 9457 problem details; `code` is stable.' },
);

/* Devices */

export const EnrolRequest = Type.Object(
  {
    enrolmentToken: Type.String({ minLength: 8, maxLength: 256 }),
    publicKey: Base64Url(32),
    proof: Type.String({
      pattern: '^[A-Za-z0-9_-]{86}$',
      description: 'Ed25519 signature of the enrolment token, purpose `enrol`.',
    }),
    platform: Type.String({ maxLength: 64 }),
    sdkVersion: Type.String({ maxLength: 32 }),
    labels: Type.Optional(Labels),
  },
  closed,
);
export type EnrolRequest = Static<typeof EnrolRequest>;
export const EnrolAnswer = Type.Object({ deviceId: ids.device, projectId: ids.project }, closed);
export type EnrolAnswer = Static<typeof EnrolAnswer>;

export const ChallengeRequest = Type.Object({ deviceId: ids.device }, closed);
export const ChallengeAnswer = Type.Object(
  { challenge: Type.String({ maxLength: 256 }), expiresInMs: Type.Integer() },
  closed,
);
export type ChallengeAnswer = Static<typeof ChallengeAnswer>;
const NetworkSchema = Type.Union([Type.Literal('unmetered'), Type.Literal('metered')], {
  description: 'Whether what the device sends and receives costs nothing, as far as it knows.',
});
export type Network = Static<typeof NetworkSchema>;
export const SessionRequest = Type.Object(
  {
    deviceId: ids.device,
    challenge: Type.String({ maxLength: 256 }),
    signature: Type.String({
      pattern: '^[A-Za-z0-9_-]{86}$',
      description: 'Ed25519 signature of the challenge, purpose `session`.',
    }),
    network: Type.Optional(NetworkSchema),
  },
  closed,
);
export type SessionRequest = Static<typeof SessionRequest>;
export const SessionAnswer = Type.Object({ token: Type.String(), expiresInMs: Type.Integer() }, closed);
export type SessionAnswer = Static<typeof SessionAnswer>;

export const Device = Type.Object({
  id: ids.device,
  publicKey: Type.Unsafe<string | null>({
    anyOf: [Base64Url(32), { type: 'null' }],
    description: '`null` once it is erased.',
  }),
  platform: Type.String(),
  sdkVersion: Type.String(),
  network: Type.Unsafe<Network | null>({
    anyOf: [NetworkSchema, { type: 'null' }],
    description: 'As it said when it last signed in; `null` where it did not say.',
  }),
  labels: Labels,
  state: OneOf<'active' | 'revoked'>(['active', 'revoked']),
  online: Type.Boolean(),
  seenAt: Type.Unsafe<string | null>({
    ...MaybeInstant,
    description: 'When it last signed in: once an hour while it is connected.',
  }),
  erasedAt: Type.Unsafe<string | null>({
    ...MaybeInstant,
    description: 'When what was known of it was removed, and its places in rounds were unlinked from it.',
  }),
  createdAt: Instant,
});
export type Device = Static<typeof Device>;

export const EnrolmentTokenRequest = Type.Object(
  {
    labels: Type.Optional(Labels),
    maxUses: Type.Optional(Type.Integer({ minimum: 1 })),
    expiresInMs: Type.Optional(Type.Integer({ minimum: 1000 })),
  },
  closed,
);
export const EnrolmentToken = Type.Object({
  id: ids.enrolmentToken,
  labels: Labels,
  maxUses: Nullable<number>(Type.Integer()),
  uses: Type.Integer(),
  expiresAt: MaybeInstant,
  revokedAt: MaybeInstant,
  createdAt: Instant,
});
export type EnrolmentToken = Static<typeof EnrolmentToken>;
export const EnrolmentTokenCreated = Type.Intersect([
  EnrolmentToken,
  Type.Object({ token: Type.String({ description: 'Shown once.' }) }),
]);

/* Models, tasks, rounds */

export const ModelSummary = Type.Object({
  digest: Sha256Schema,
  name: Type.String(),
  parameters: Type.Integer({ description: 'Number of learnable weights.' }),
  inputShape: Type.Array(Type.Integer(), { description: 'Shape of one example.' }),
  classes: Type.Integer(),
  createdAt: Instant,
});
export type ModelSummary = Static<typeof ModelSummary>;
export const ModelDetail = Type.Intersect([ModelSummary, Type.Object({ ir: Type.Unknown() })]);
export type ModelDetail = Static<typeof ModelDetail>;

export const TaskRequest = Type.Object(
  {
    name: Name,
    model: Sha256Schema,
    plan: Plan,
    weights: Type.Optional(ids.version),
  },
  { ...closed, description: '`weights`: a published version of the same model to start from.' },
);
export type TaskRequest = Static<typeof TaskRequest>;

export const Task = Type.Object({
  id: ids.task,
  name: Type.String(),
  model: Sha256Schema,
  state: TaskStateSchema,
  reason: Nullable<string>(Type.String()),
  plan: Plan,
  roundsPublished: Type.Integer({ description: 'Training rounds that published a version.' }),
  currentVersion: ids.version,
  servedVersion: ids.version,
  createdAt: Instant,
  updatedAt: Instant,
});
export type Task = Static<typeof Task>;

export const Funnel = Type.Object(
  {
    states: Type.Record(Type.String(), Type.Integer(), { description: 'Assignments by state.' }),
    dropped: Type.Record(Type.String(), Type.Integer(), { description: 'Dropped assignments by reason.' }),
  },
  { description: 'Where the assignments of a round are.' },
);
export type Funnel = Static<typeof Funnel>;

export const TrainingMetrics = Type.Object({
  devices: Type.Integer(),
  weight: Type.Integer({ description: 'Sum of the weights.' }),
  updateNorm: Type.Number({ description: 'L2 norm of the mean update.' }),
  lossBefore: Type.Number({ description: 'Mean loss a row, before local training or adaptation.' }),
  accuracyBefore: Type.Number(),
  lossAfter: Type.Number(),
  accuracyAfter: Type.Number(),
});
export type TrainingMetrics = Static<typeof TrainingMetrics>;
export const EvaluationResult = Type.Object({
  supportShare: Type.Number(),
  steps: Type.Integer({ description: 'Adaptation steps; 0 is before adaptation.' }),
  accuracy: Type.Number({ description: 'Mean over devices of the accuracy on the query set.' }),
  loss: Type.Number({ description: 'Mean over devices of the loss a query row.' }),
  worstDecile: Type.Number({
    description: 'Mean accuracy of the worst tenth of devices (at least one); one-point bins.',
  }),
  deciles: Type.Array(Type.Number(), {
    description: 'Accuracy at 10, 20, … 90 % of devices; one-point bins.',
  }),
});
export type EvaluationResult = Static<typeof EvaluationResult>;
export const EvaluationMetrics = Type.Object({
  devices: Type.Integer(),
  results: Type.Array(EvaluationResult),
});
export type EvaluationMetrics = Static<typeof EvaluationMetrics>;
export const StatisticsMetrics = Type.Object({ devices: Type.Integer(), rows: Type.Integer() });
export type StatisticsMetrics = Static<typeof StatisticsMetrics>;

export const Round = Type.Object({
  id: ids.round,
  taskId: ids.task,
  sequence: Type.Integer({ description: 'Position among all rounds of the task, from 1.' }),
  kind: RoundKind,
  number: Type.Integer({
    description: 'Training rounds: which of the plan, from 1. Others: the last one before.',
  }),
  state: RoundStateSchema,
  reason: Nullable<string>(Type.String()),
  goal: Type.Integer(),
  minimum: Type.Integer(),
  baseVersion: ids.version,
  publishedVersion: Nullable<Static<typeof ids.version>>(ids.version),
  evaluation: Nullable<EvaluationSpec>(EvaluationSpec),
  metrics: Nullable<TrainingMetrics | EvaluationMetrics | StatisticsMetrics>(
    Type.Union([TrainingMetrics, EvaluationMetrics, StatisticsMetrics]),
  ),
  bytesUp: Type.Integer({ description: 'Bytes of the updates received.' }),
  openedAt: Instant,
  offersFrom: Type.Unsafe<string | null>({
    ...MaybeInstant,
    description:
      'Rounds before this one failed: it asks devices from this time on. Null for one that asks at once.',
  }),
  endedAt: MaybeInstant,
});
export type Round = Static<typeof Round>;
/** Most groups that a round's detail lists. */
export const listedGroups = 256;
export const GroupSummary = Type.Object(
  {
    id: ids.group,
    state: GroupStateSchema,
    reason: Nullable<string>(Type.String()),
    size: Type.Integer({ description: 'Devices that were invited.' }),
    needed: Type.Integer({ description: 'Devices that must stay to the end: with fewer there is no sum.' }),
    survivors: Nullable<number>(
      Type.Integer({ description: 'Devices whose updates are in the sum; null until there is one.' }),
    ),
    openedAt: Instant,
    endedAt: MaybeInstant,
  },
  { description: 'A group of a secure task. Which devices were in it is not told.' },
);
export type GroupSummary = Static<typeof GroupSummary>;
export const RoundDetail = Type.Intersect([
  Round,
  Type.Object({
    funnel: Funnel,
    groups: Type.Array(GroupSummary, {
      description: `Groups of a secure task, aborted ones first, at most ${listedGroups}; none where updates travel in the clear.`,
    }),
  }),
]);
export type RoundDetail = Static<typeof RoundDetail>;

export const EvaluationRequest = Type.Object(
  { spec: EvaluationSpec, version: Type.Optional(ids.version) },
  { ...closed, description: 'Judge a version (default: the current one) on devices.' },
);

export const ModelVersion = Type.Object({
  id: ids.version,
  taskId: ids.task,
  number: Type.Integer(),
  digest: Type.String({ description: 'Digest over the tensors (name, dtype, shape, bytes).' }),
  weights: Type.String({ description: 'SHA-256 of the weights file: GET /v1/blobs/{sha256}.' }),
  bytes: Type.Integer(),
  parent: Nullable<Static<typeof ids.version>>(ids.version),
  round: Nullable<Static<typeof ids.round>>(ids.round),
  job: Nullable<Static<typeof ids.job>>(ids.job),
  prunedAt: Type.Unsafe<string | null>({
    ...MaybeInstant,
    description: 'When retention removed its weights; `null` while they are kept.',
  }),
  createdAt: Instant,
});
export type ModelVersion = Static<typeof ModelVersion>;

/* Assignments: what a device sees */

const Work = Type.Union([
  Type.Object({ kind: Type.Literal('statistics') }),
  Type.Object({ kind: Type.Literal('training'), learning: LearningPlan }),
  Type.Object({ kind: Type.Literal('evaluation'), spec: EvaluationSpec }),
]);
export type Work = Static<typeof Work>;

export const UpdateBlockSchema = Type.Object({
  name: OneOf<'parameters' | 'rates' | 'moments' | 'metrics'>(['parameters', 'rates', 'moments', 'metrics']),
  size: Type.Integer(),
  scaleBits: Type.Integer(),
  clip: Type.Number(),
  weighted: Type.Boolean(),
  limbs: Type.Unsafe<1 | 3>({ type: 'integer', enum: [1, 3] }),
  rounding: Type.Optional(
    Type.Literal('stochastic', {
      description: 'The device rounds without bias, by draws from its seed; else to the nearest.',
    }),
  ),
});

/** A model as a device needs it: what to fetch and how to read it. */
export const ServedModel = Type.Object({
  taskId: ids.task,
  version: ids.version,
  ir: Sha256Schema,
  weights: Sha256Schema,
  learnedRates: Type.Boolean(),
  adaptation: Type.Object({ steps: Type.Integer(), rate: AdaptationRate }),
});
export type ServedModel = Static<typeof ServedModel>;

export const SecureAssignment = Type.Object(
  {
    ring: Type.Unsafe<16 | 32>({ type: 'integer', enum: [16, 32] }),
    minimum: Type.Integer({ description: 'Fewest updates that a sum may be of.' }),
    largest: Type.Integer({ description: 'Most members of a group: the encoding leaves room for so many.' }),
    groupId: Nullable<Static<typeof ids.group>>(ids.group),
  },
  { ...closed, description: 'The update is handed in masked, as a member of a group.' },
);
export type SecureAssignment = Static<typeof SecureAssignment>;

export const Assignment = Type.Object({
  id: ids.assignment,
  taskId: ids.task,
  roundId: ids.round,
  roundNumber: Type.Integer(),
  state: AssignmentStateSchema,
  reason: Nullable<string>(Type.String()),
  seed: Type.Integer({ description: 'Seed of everything random that the device does in this round.' }),
  work: Work,
  model: ServedModel,
  blocks: Type.Array(UpdateBlockSchema),
  maxWeight: Type.Integer(),
  eligibility: Eligibility,
  secure: Type.Optional(SecureAssignment),
  remainingMs: Type.Integer({ description: 'Time left until the window of this state closes.' }),
});
export type Assignment = Static<typeof Assignment>;

export const CheckInAnswer = Type.Object({
  assignment: Nullable<Assignment>(Assignment),
  retryAfterMs: Type.Integer({ description: 'When to ask again without a socket: drawn from the pace.' }),
});
export type CheckInAnswer = Static<typeof CheckInAnswer>;

/** What a device says of its assignment: over the socket (event `control`) or POST …/{action}. */
export const ControlMessage = Type.Union([
  Type.Object({ action: Type.Literal('accept') }, closed),
  Type.Object({ action: Type.Literal('decline'), reason: Type.String({ maxLength: 200 }) }, closed),
  Type.Object({ action: Type.Literal('begin') }, closed),
  Type.Object(
    {
      action: Type.Literal('ready'),
      digest: Type.Optional(Sha256Schema),
      bytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 })),
    },
    {
      ...closed,
      description:
        'Clear tasks: digest and length of the update. Secure tasks: neither; of the clear update nothing leaves the device.',
    },
  ),
  Type.Object({ action: Type.Literal('fail'), reason: Type.String({ maxLength: 200 }) }, closed),
]);
export type ControlMessage = Static<typeof ControlMessage>;
export const SocketControl = Type.Object({ assignmentId: ids.assignment, message: ControlMessage }, closed);
export type SocketControl = Static<typeof SocketControl>;

/** What a group has for one of its devices (docs/secure-aggregation.md). */
export const GroupMail = Type.Object({
  state: GroupStateSchema,
  messages: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]+$' }), {
    description: 'Messages of SA-1, base64url: what the phase last said to this device.',
  }),
  assignment: Assignment,
});
export type GroupMail = Static<typeof GroupMail>;

export const UploadAnswer = Type.Object({
  offset: Type.Integer(),
  state: AssignmentStateSchema,
});
export type UploadAnswer = Static<typeof UploadAnswer>;

/* Live events for people (socket namespace /admin, event `event`) */

export const LiveEvent = Type.Union([
  Type.Object({ kind: Type.Literal('task'), task: Task }),
  Type.Object({ kind: Type.Literal('round'), round: RoundDetail }),
  Type.Object({ kind: Type.Literal('version'), version: ModelVersion }),
  Type.Object({
    kind: Type.Literal('job'),
    jobId: ids.job,
    taskId: ids.task,
    state: OneOf<JobState>(Object.keys(jobTransitions)),
  }),
  Type.Object({
    kind: Type.Literal('device'),
    deviceId: ids.device,
    change: OneOf<'enrolled' | 'online' | 'offline' | 'revoked' | 'erased'>([
      'enrolled',
      'online',
      'offline',
      'revoked',
      'erased',
    ]),
  }),
  Type.Object(
    { kind: Type.Literal('arrivals'), roundId: ids.round },
    {
      description:
        'Devices came further in a round; at most twice a second, and not kept for those who come back.',
    },
  ),
]);
export type LiveEvent = Static<typeof LiveEvent>;

/** A page of a list; `next` is the cursor of the following page. */
export function Page<T>(item: TUnsafe<T> | object): TUnsafe<{ items: T[]; next: string | null }> {
  return Type.Unsafe<{ items: T[]; next: string | null }>({
    type: 'object',
    required: ['items', 'next'],
    properties: {
      items: { type: 'array', items: item },
      next: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    },
  });
}
