import { readFile } from 'node:fs/promises';
import { parseModel, type Model } from '@starling/model';
import { writeWeights, type TrainingMetrics } from '@starling/protocol';
import { Plan } from '@starling/protocol/schemas';
import { Type, type Static } from 'typebox';
import { openPack, partition, type Pack } from '../data/index.ts';
import {
  idealFleet,
  phonesAtNight,
  readDocument,
  readFleetModel,
  simulate,
  syntheticPopulation,
  type OpenCrew,
  type PopulationOrder,
  type RoundReport,
} from '../simulation/index.ts';
import { startOf } from './job-start.ts';
import { JobRefused, type Job } from './job.ts';
import { thinLines } from './thin-lines.ts';
import { writeWhole } from './write-whole.ts';

/** What a job of this kind is asked for (docs/cloud.md). */
const SimulationJob = Type.Object(
  {
    plan: Plan,
    fleet: Type.Optional(
      Type.Unknown({ description: 'A fleet model, or "ideal". Without it: phones at night.' }),
    ),
    fold: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Whose users are held out; without it nobody.' }),
    ),
    devices: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    synthetic: Type.Optional(
      Type.Object(
        { rows: Type.Integer({ minimum: 4, maximum: 100_000 }) },
        {
          additionalProperties: false,
          description: 'Made-up rows, so many a device, instead of the data set.',
        },
      ),
    ),
    isTraining: Type.Boolean({ default: true, description: 'false: a forecast alone.' }),
  },
  { additionalProperties: false },
);

/** Rounds that a report of a job keeps, and steps in the cloud: of more, as many at even distances. */
const mostKept = 1_000;

/**
 * Runs a task against virtual devices over the people of a pack, and leaves the report as the job's metrics, and beside it the weights of
 * the last version. @param crew - Who does the work of devices, unless threads of this process do.
 * @throws JobRefused, SimulationRefused, PackError
 */
export async function runSimulation(job: Job, say: (line: object) => void, crew?: OpenCrew): Promise<void> {
  if (job.device !== 'cpu')
    throw new JobRefused(
      'job-unsupported',
      `Virtual devices run on processors; ${job.device} was asked for.`,
    );
  const asked = readDocument(SimulationJob, job.training, 'training');
  const model = parseModel(JSON.parse(await readFile(job.model, 'utf8')));
  const { plan, fleet, isTraining } = asked;
  const dataSets = new Map<string, Pack>();
  for (const [name, directory] of Object.entries(job.dataSets ?? {}))
    dataSets.set(name, await openPack(directory));
  const start = await startOf(job, model);
  const tell = thinLines(say);
  const { report, params } = await simulate({
    ...{ model, plan, seed: job.seed, start, isTraining, dataSets, threads: job.workers },
    ...(crew && { crew }),
    population: await populationOf(job, model, asked),
    fleet: fleet === undefined ? phonesAtNight : fleet === 'ideal' ? idealFleet : readFleetModel(fleet),
    onRound: (round) => {
      tell(() => lineOf(round));
    },
  });
  if (isTraining) await writeWhole(job.weightsOut, writeWeights(params.layout, params.values));
  await writeWhole(
    job.metricsOut,
    JSON.stringify({ ...report, rounds: some(report.rounds), steps: some(report.steps) }),
  );
}

async function populationOf(
  { data, users, seed }: Job,
  model: Model,
  { synthetic, fold, devices }: Static<typeof SimulationJob>,
): Promise<PopulationOrder> {
  if (synthetic)
    return syntheticPopulation(model, { ...synthetic, seed, ...(devices !== undefined && { devices }) });
  const pack = await openPack(data);
  const people = users ?? pack.users.map(({ id }) => id);
  for (const user of people) pack.user(user); // those that are not there are refused by name
  const split = fold === undefined ? { train: people, heldOut: [] } : partition(pack, { fold });
  const chosen = new Set(people);
  const train = split.train.filter((user) => chosen.has(user));
  const heldOut = split.heldOut.filter((user) => chosen.has(user));
  const { parts } = pack;
  return { kind: 'pack', devices: devices ?? train.length, pack: parts, holdout: parts, train, heldOut };
}

function some<T>(all: readonly T[]): readonly T[] {
  const every = Math.ceil(all.length / mostKept);
  return all.filter((_, place) => place % every === 0);
}

function lineOf({ kind, number, outcome, counted, metrics }: RoundReport): object {
  if (kind !== 'training' || outcome !== 'published') return { kind, after: number, outcome };
  const { lossBefore, lossAfter } = (metrics ?? {}) as Partial<TrainingMetrics>;
  return { round: number, people: counted, lossBefore, lossAfter };
}
