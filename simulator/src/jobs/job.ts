import { EvaluationSpec, LearningPlan, ServerOptimiser } from '@starling/protocol/schemas';
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** What a job is asked to do, as its `job.json` says it (docs/cloud.md). Paths are absolute. */
const Job = Type.Object({
  id: Type.String(),
  kind: Type.Union([
    Type.Literal('warm-start'),
    Type.Literal('distil'),
    Type.Literal('evaluate'),
    Type.Literal('simulate'),
  ]),
  model: Type.String(),
  weightsIn: Type.Union([Type.String(), Type.Null()]),
  data: Type.String(),
  users: Type.Union([Type.Array(Type.String()), Type.Null()]),
  weightsOut: Type.String(),
  metricsOut: Type.String(),
  checkpoints: Type.String(),
  workers: Type.Integer({ minimum: 1 }),
  device: Type.String(),
  seed: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 }),
  training: Type.Unknown(),
});
export type Job = Static<typeof Job>;

/** Federated rounds over proxy people, in one process: the algorithms of a plan, and its server's optimiser. */
const WarmStart = Type.Object(
  {
    rounds: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    people: Type.Optional(Type.Integer({ minimum: 1, description: 'People of a round; without it all.' })),
    learning: LearningPlan,
    optimiser: ServerOptimiser,
    checkpointEvery: Type.Integer({ minimum: 1, default: 20, description: 'Rounds.' }),
  },
  { additionalProperties: false },
);
export type WarmStart = Static<typeof WarmStart>;

const Judging = Type.Pick(EvaluationSpec, ['supportShares', 'steps', 'rate'], {
  additionalProperties: false,
});
export type Judging = Static<typeof Judging>;

/** What was asked for cannot be done, whoever asks again. */
export class JobRefused extends Error {
  override readonly name = 'JobRefused';
  readonly code: 'job-invalid' | 'job-unsupported';

  constructor(code: JobRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws JobRefused */
export const readJob = (json: unknown): Job => checked(Job, json, 'job.json');
export const readWarmStart = (json: unknown): WarmStart => checked(WarmStart, json, 'training');
export const readJudging = (json: unknown): Judging => checked(Judging, json, 'training');

function checked<T extends TSchema>(schema: T, json: unknown, what: string): Static<T> {
  const value = Value.Default(schema, Value.Clone(json));
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  throw new JobRefused(
    'job-invalid',
    `${what}${first?.instancePath ?? ''} ${first?.message ?? 'is malformed'}.`,
  );
}
