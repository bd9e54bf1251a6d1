import { Type, type Static } from 'typebox';
import { FleetModel } from '../schemas/fleet-model.ts';
import { Plan } from '../schemas/plan.ts';
import { closed, OneOf, Sha256 } from './common.ts';
import type { Endpoint } from './endpoint.ts';
import { exampleTask } from './tasks.ts';

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Milliseconds = (description: string) => Type.Number({ minimum: 0, description });

/** Fleets that need no document of their own. */
export const readyFleets = ['phones-at-night', 'ideal'] as const;

/** Devices that a forecast has while those that may be asked are too few for a round, and at most. */
export const devicesOfNobody = 1_000;
export const mostDevices = 100_000;

export const ForecastRequest = Type.Object(
  {
    model: Type.Optional(Sha256),
    ir: Type.Optional(Type.Unknown({ description: 'The model IR itself, in place of `model`.' })),
    plan: Plan,
    devices: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: mostDevices,
        description: `Virtual devices. Without it as many as the cohort may be chosen from now, or ${devicesOfNobody} while they are too few for its largest round.`,
      }),
    ),
    rows: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Examples of each device; without it 100.',
      }),
    ),
    fleet: Type.Optional(
      Type.Union([OneOf(readyFleets), FleetModel], {
        description:
          'What devices are like (docs/simulate.md). Without it phones at night: assumed, not measured.',
      }),
    ),
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2 ** 32 - 1,
        description: 'Of what becomes of devices; without it 1.',
      }),
    ),
  },
  closed,
);
export type ForecastRequest = Static<typeof ForecastRequest>;

/** What a task would take of an assumed fleet: its rounds were played in virtual time, and nothing was trained. */
export const TaskForecast = Type.Object({
  outcome: OneOf(['completed', 'stalled']),
  rounds: Type.Object(
    {
      planned: Count('Training rounds of the plan.'),
      played: Count('Of these, those that were played from the first on. The rest is taken to be like them.'),
      published: Count('Rounds of every kind, of those that were played.'),
      abandoned: Count('Rounds that did not come to their minimum.'),
    },
    { description: '`stalled`: fifty rounds in a row were abandoned, and the plan would not end.' },
  ),
  virtualMs: Milliseconds('From the start to the end of the last round.'),
  roundMs: Type.Object({
    median: Milliseconds('Of published training rounds.'),
    p90: Milliseconds('One in ten takes longer.'),
  }),
  asked: Count('Offers to devices.'),
  counted: Count('Updates in published sums.'),
  dropped: Type.Record(Type.String(), Type.Integer(), {
    description: 'Devices by the reason of their drop.',
  }),
  bytesDown: Count('Weights that devices fetch.'),
  bytesUp: Count('Updates that devices hand in; messages of secure groups are not counted.'),
  deviceMs: Count('Time of devices, from accepting to the end of their part.'),
  computeMs: Count('Of that, computing.'),
  course: Type.Array(
    Type.Object({
      atMs: Milliseconds('Virtual time since the start.'),
      published: Count('Training rounds published by then.'),
    }),
    { description: 'At most 200 points of the rounds that were played, the last one included.' },
  ),
  assumed: Type.Object(
    {
      devices: Type.Integer(),
      rows: Type.Integer(),
      seed: Type.Integer(),
      fleet: FleetModel,
    },
    { description: 'What the figures rest on.' },
  ),
});
export type TaskForecast = Static<typeof TaskForecast>;

export const forecastEndpoints = {
  forecastTask: {
    method: 'POST',
    path: '/v1/tasks/forecast',
    tag: 'tasks',
    summary: 'Foretell what a task would take',
    description:
      'Plays the rounds of a plan against virtual devices, without training: time, bytes, device minutes, drop-outs. Figures are for all rounds of the plan. Labels of cohorts and steps in the cloud are left out. Nothing is stored.',
    role: 'operator',
    body: ForecastRequest,
    example: { model: exampleTask.model, plan: exampleTask.plan, devices: 200, rows: 100, seed: 1 },
    answer: TaskForecast,
    readOnly: true,
  },
} as const satisfies Record<string, Endpoint>;
