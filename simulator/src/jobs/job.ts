import { EvaluationSpec, LearningPlan, ServerOptimiser } from '@starling/protocol/schemas';
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** What a job is asked to do, as its `job.json` says it (docs/cloud.md). Paths are absolute. */
const Job = Type.Object({
  id: Type.String(),
  kind: Type.Union([Type.Literal('warm-start'), Type.Literal('evaluate'), Type.Literal('simulate')]),
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
  dataSets: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'For simulate: directories of what steps in the cloud of the plan learn from, by name.',
    }),
  ),
});
export type Job = Static<typeof Job>;

/** Federated rounds over proxy people, in one process: beside these the fields of a plan's `learning`. */
const Rounds = Type.Object({
  rounds: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  cohort: Type.Object(
    { goal: Type.Integer({ minimum: 1, maximum: 100_000 }) },
    { additionalProperties: false },
  ),
  optimiser: ServerOptimiser,
  checkpointEvery: Type.Integer({ minimum: 1, default: 100, description: 'Rounds.' }),
});
export type WarmStart = Static<typeof Rounds> & { learning: LearningPlan };

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
export const readJudging = (json: unknown): Judging => checked(Judging, json, 'training');

export function readWarmStart(json: unknown): WarmStart {
  if (typeof json !== 'object' || json === null)
    throw new JobRefused('job-invalid', 'training must be an object.');
  const { rounds, cohort, optimiser, checkpointEvery, ...learning } = json as Record<string, unknown>;
  return {
    ...checked(
      Rounds,
      { rounds, cohort, optimiser, ...(checkpointEvery !== undefined && { checkpointEvery }) },
      'training',
    ),
    learning: checked(LearningPlan, learning, 'training'),
  };
}

function checked<T extends TSchema>(schema: T, json: unknown, what: string): Static<T> {
  const value = Value.Default(schema, Value.Clone(json));
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  throw new JobRefused(
    'job-invalid',
    `${what}${first?.instancePath ?? ''} ${first?.message ?? 'is malformed'}.`,
  );
}
