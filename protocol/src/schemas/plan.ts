import { Type, type Static } from 'typebox';
import { idPattern, type VersionId } from '../ids.ts';

/** Parts of a plan: what a device does in a round and what the server does with the result (docs/plan.md). */
const closed = { additionalProperties: false } as const;

const Rate = Type.Number({ exclusiveMinimum: 0, maximum: 1000 });
const Steps = Type.Integer({ minimum: 1, maximum: 10_000 });
const BatchSize = Type.Integer({ minimum: 1, maximum: 4096 });
const ClipNorm = Type.Optional(
  Type.Number({
    exclusiveMinimum: 0,
    description: 'L2 norm to which a device scales its update down; in the clear, a longer one is refused.',
  }),
);
const Milliseconds = (description: string) =>
  Type.Integer({ minimum: 10, maximum: 7 * 24 * 3_600_000, description });

const SupportShares = Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 0.5 }), {
  minItems: 1,
  maxItems: 8,
  description: 'Shares of the local data to adapt on; one is drawn for each contribution.',
});
const MaxQuery = Type.Integer({ minimum: 1, maximum: 4096, description: 'Most query rows judged.' });

export const LearningPlan = Type.Union([
  Type.Object(
    {
      algorithm: Type.Literal('fedavg'),
      epochs: Type.Integer({ minimum: 1, maximum: 100 }),
      batchSize: BatchSize,
      rate: Rate,
      clipNorm: ClipNorm,
    },
    { ...closed, title: 'FedAvg', description: 'Federated averaging (McMahan et al. 2017).' },
  ),
  Type.Object(
    {
      algorithm: Type.Literal('reptile'),
      steps: Steps,
      batchSize: BatchSize,
      rate: Rate,
      clipNorm: ClipNorm,
    },
    { ...closed, title: 'Reptile', description: 'First-order meta-learning (Nichol et al. 2018).' },
  ),
  Type.Object(
    {
      algorithm: Type.Union([Type.Literal('fomaml'), Type.Literal('maml')]),
      innerSteps: Type.Integer({ minimum: 1, maximum: 20 }),
      innerRate: Rate,
      supportShares: SupportShares,
      maxQuery: MaxQuery,
      clipNorm: ClipNorm,
    },
    { ...closed, title: 'MAML', description: 'MAML of first or second order (Finn et al. 2017).' },
  ),
  Type.Object(
    {
      algorithm: Type.Literal('meta-sgd'),
      innerSteps: Type.Integer({ minimum: 1, maximum: 20 }),
      initialRate: Rate,
      supportShares: SupportShares,
      maxQuery: MaxQuery,
      clipNorm: ClipNorm,
    },
    { ...closed, title: 'Meta-SGD', description: 'Learned rates for every parameter (Li et al. 2017).' },
  ),
]);
export type LearningPlan = Static<typeof LearningPlan>;

const ScheduledRate = Type.Union([Rate, Type.Object({ from: Rate, to: Rate }, closed)], {
  description: 'A rate, or one that moves linearly from the first to the last round.',
});

export const ServerOptimiser = Type.Union([
  Type.Object({ kind: Type.Literal('sgd'), rate: ScheduledRate }, closed),
  Type.Object(
    {
      kind: Type.Literal('momentum'),
      rate: ScheduledRate,
      momentum: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('adam'),
      rate: ScheduledRate,
      beta1: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.9 }),
      beta2: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.999 }),
      epsilon: Type.Number({ exclusiveMinimum: 0, default: 1e-8 }),
    },
    closed,
  ),
]);
export type ServerOptimiser = Static<typeof ServerOptimiser>;

export const Labels = Type.Record(
  Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
  Type.String({ maxLength: 128 }),
  { maxProperties: 16, description: 'What a device says of itself at enrolment, e.g. {"platform": "web"}.' },
);
export type Labels = Static<typeof Labels>;

const cohortFields = {
  goal: Type.Integer({ minimum: 1, maximum: 100_000, description: 'Devices whose updates the round wants.' }),
  minimum: Type.Integer({ minimum: 1, maximum: 100_000, description: 'Fewer than these: abandoned.' }),
  select: Type.Optional(Labels),
};

export const Cohort = Type.Object(
  {
    ...cohortFields,
    overSelection: Type.Number({ minimum: 1, maximum: 3, default: 1.3, description: 'Offers per goal.' }),
    withoutReplacement: Type.Optional(
      Type.Boolean({
        description:
          'Of the devices that are there, those are asked first that contributed to the fewest training rounds.',
      }),
    ),
  },
  closed,
);
export type Cohort = Static<typeof Cohort>;

export const Windows = Type.Object(
  {
    selectingMs: Milliseconds('How long devices may accept.'),
    trainingMs: Milliseconds('How long devices may train until they are ready.'),
    aggregatingMs: Milliseconds('How long ready devices may take to upload.'),
  },
  closed,
);
export type Windows = Static<typeof Windows>;

export const AdaptationRate = Type.Union([Rate, Type.Literal('learned')], {
  description: 'A rate, or the rates that Meta-SGD learned.',
});

export const EvaluationSpec = Type.Object(
  {
    ...cohortFields,
    supportShares: SupportShares,
    steps: Type.Array(Steps, {
      minItems: 1,
      maxItems: 8,
      description: 'Adaptation steps after which the model is judged; judged before adaptation too.',
    }),
    rate: AdaptationRate,
    alone: Type.Optional(
      Type.Object(
        { steps: Type.Array(Steps, { minItems: 1, maxItems: 8 }), rate: Rate },
        {
          ...closed,
          description: 'Judge instead a model trained from fresh weights on the support alone (Adam).',
        },
      ),
    ),
  },
  closed,
);
export type EvaluationSpec = Static<typeof EvaluationSpec>;

export const Eligibility = Type.Object(
  {
    minExamples: Type.Optional(Type.Integer({ minimum: 1 })),
    charging: Type.Optional(Type.Boolean()),
    unmetered: Type.Optional(Type.Boolean()),
    idle: Type.Optional(Type.Boolean()),
    minBattery: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    minSeparationMs: Type.Optional(Milliseconds('Least time between two contributions of a device.')),
  },
  { ...closed, description: 'Conditions that the device itself evaluates before it accepts.' },
);
export type Eligibility = Static<typeof Eligibility>;

const Quota = Type.Object(
  {
    roundsPerDay: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    bytesPerDay: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2 ** 50,
        description: 'Weights down and updates up; a round is not offered that may exceed it.',
      }),
    ),
  },
  { ...closed, description: 'The most that this task takes from one device in any 24 hours.' },
);

const Encoding = Type.Object(
  {
    scaleBits: Type.Integer({ minimum: 1, maximum: 40, description: 'Fractional bits of the fixed point.' }),
    clip: Type.Number({
      exclusiveMinimum: 0,
      maximum: 2 ** 30,
      description: 'Largest magnitude of a value.',
    }),
    rounding: Type.Optional(
      Type.Unsafe<'nearest' | 'stochastic'>({
        type: 'string',
        enum: ['nearest', 'stochastic'],
        description:
          'How a device puts values on the grid. Default: stochastic on a ring of 16 bits, nearest otherwise.',
      }),
    ),
  },
  closed,
);

const GroupMembers = (description: string) => Type.Integer({ minimum: 3, maximum: 2048, description });

export const SecurePlan = Type.Object(
  {
    groupSize: Type.Object(
      {
        target: GroupMembers('Devices of a group; a remainder below the minimum makes one group larger.'),
        minimum: GroupMembers('Fewest updates that a sum may be of: below, a group is aborted.'),
      },
      closed,
    ),
    ring: Type.Unsafe<16 | 32>({
      type: 'integer',
      enum: [16, 32],
      default: 32,
      description:
        'Bits of a word: integers modulo 2^ring are summed. 32: an integer that is larger takes several words. 16: a parameter takes one, and the encoding must leave it room.',
    }),
  },
  {
    ...closed,
    description: 'Secure aggregation: updates leave a device masked, and only sums of groups are seen.',
  },
);
export type SecurePlan = Static<typeof SecurePlan>;

/** What a job in the cloud does. `training` is for its program: an algorithm with its steps and rates. */
export const CloudWork = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('warm-start'),
      Type.Literal('distil'),
      Type.Literal('evaluate'),
      Type.Literal('simulate'),
    ]),
    framework: Type.Union([Type.Literal('embedded'), Type.Literal('torch'), Type.Literal('mindspore')], {
      default: 'embedded',
    }),
    data: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
      description: 'A data set by the name under which the operator offers it.',
    }),
    users: Type.Optional(
      Type.Array(Type.String({ maxLength: 128 }), {
        minItems: 1,
        maxItems: 100_000,
        description: 'People of the data set; without them all.',
      }),
    ),
    training: Type.Object(
      {},
      { additionalProperties: true, description: 'docs/cloud.md lists the settings.' },
    ),
    teacher: Type.Optional(
      Type.Unsafe<VersionId>({
        type: 'string',
        pattern: idPattern('version'),
        description: 'For distil: the version of any task of the project whose predictions are learnt.',
      }),
    ),
    seed: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1, default: 0 }),
    device: Type.Union([Type.Literal('cpu'), Type.Literal('gpu'), Type.Literal('npu')], { default: 'cpu' }),
    workers: Type.Integer({ minimum: 1, maximum: 4096, default: 1 }),
    cpusPerWorker: Type.Integer({ minimum: 1, maximum: 1024, default: 1 }),
    devicesPerWorker: Type.Integer({
      minimum: 0,
      maximum: 64,
      default: 0,
      description: 'GPUs or NPUs of a worker: one at least, where `device` is not cpu.',
    }),
    wallSeconds: Type.Integer({ minimum: 1, maximum: 30 * 24 * 3600, default: 3600 }),
    backend: Type.Optional(
      Type.String({ maxLength: 32, description: 'Where it runs; without it the first that can run it.' }),
    ),
  },
  closed,
);
export type CloudWork = Static<typeof CloudWork>;

export const Plan = Type.Object(
  {
    learning: LearningPlan,
    optimiser: ServerOptimiser,
    rounds: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    cohort: Cohort,
    windows: Windows,
    statistics: Type.Optional(
      Type.Object(cohortFields, {
        ...closed,
        description: 'A first round in which devices sum the moments of their inputs, for `standardise`.',
      }),
    ),
    evaluation: Type.Optional(
      Type.Object(
        { everyRounds: Type.Integer({ minimum: 1 }), spec: EvaluationSpec },
        { ...closed, description: 'Evaluation rounds between training rounds.' },
      ),
    ),
    adaptation: Type.Object(
      {
        steps: Type.Integer({ minimum: 0, maximum: 1000 }),
        rate: AdaptationRate,
      },
      { ...closed, description: 'How a device turns the served model into its personal model.' },
    ),
    eligibility: Type.Optional(Eligibility),
    quota: Type.Optional(Quota),
    encoding: Type.Optional(Encoding),
    maxWeight: Type.Integer({ minimum: 1, maximum: 2 ** 20, default: 4096 }),
    secure: Type.Optional(SecurePlan),
    hybrid: Type.Optional(
      Type.Object(
        { everyRounds: Type.Integer({ minimum: 1 }), work: CloudWork },
        { ...closed, description: 'A step of training in the cloud between training rounds.' },
      ),
    ),
    pace: Type.Optional(
      Type.Object(
        { minDelayMs: Type.Integer({ minimum: 0 }), maxDelayMs: Type.Integer({ minimum: 0 }) },
        { ...closed, description: 'A device without work comes back after a delay drawn from here.' },
      ),
    ),
    seed: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1, default: 0 }),
  },
  closed,
);
export type Plan = Static<typeof Plan>;
