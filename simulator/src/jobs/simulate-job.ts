import type { Model, Params } from '@starling/model';
import type { TrainingMetrics } from '@starling/protocol';
import { Plan } from '@starling/protocol/schemas';
import { Type } from 'typebox';
import { openPack, partition, type Pack } from '../data/index.ts';
import {
  idealFleet,
  phonesAtNight,
  readDocument,
  readFleetModel,
  simulate,
  type RoundReport,
  type SimulationReport,
} from '../simulation/index.ts';
import type { Job } from './job.ts';

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
    isTraining: Type.Boolean({ default: true, description: 'false: a forecast alone.' }),
  },
  { additionalProperties: false },
);

/** Rounds that a report of a job keeps: of more, as many at even distances. */
const mostRounds = 1_000;

/**
 * Runs a task against virtual devices over the people of a pack, in one thread. @param start - The weights that a version holds.
 * @throws SimulationRefused, PackError
 */
export async function simulateFor(
  asked: Pick<Job, 'training' | 'seed' | 'users' | 'dataSets'>,
  model: Model,
  start: Params,
  pack: Pack,
  onRound: (line: object) => void,
): Promise<SimulationReport> {
  const { plan, fleet, fold, devices, isTraining } = readDocument(SimulationJob, asked.training, 'training');
  const people = asked.users ?? pack.users.map(({ id }) => id);
  for (const user of people) pack.user(user); // those that are not there are refused by name
  const split = fold === undefined ? { train: people, heldOut: [] } : partition(pack, { fold });
  const chosen = new Set(people);
  const train = split.train.filter((user) => chosen.has(user));
  const heldOut = split.heldOut.filter((user) => chosen.has(user));
  const parts = pack.parts;
  const dataSets = new Map<string, Pack>();
  for (const [name, directory] of Object.entries(asked.dataSets ?? {}))
    dataSets.set(name, await openPack(directory));
  const { report } = await simulate({
    ...{ model, plan, seed: asked.seed, start, isTraining, dataSets, threads: 1 },
    population: {
      kind: 'pack',
      devices: devices ?? train.length,
      pack: parts,
      holdout: parts,
      train,
      heldOut,
    },
    fleet: fleet === undefined ? phonesAtNight : fleet === 'ideal' ? idealFleet : readFleetModel(fleet),
    onRound: (round) => {
      onRound(lineOf(round));
    },
  });
  const every = Math.ceil(report.rounds.length / mostRounds);
  return { ...report, rounds: report.rounds.filter((_, place) => place % every === 0) };
}

function lineOf({ kind, number, outcome, counted, metrics }: RoundReport): object {
  if (kind !== 'training' || outcome !== 'published') return { kind, after: number, outcome };
  const { lossBefore, lossAfter } = (metrics ?? {}) as Partial<TrainingMetrics>;
  return { round: number, people: counted, lossBefore, lossAfter };
}
