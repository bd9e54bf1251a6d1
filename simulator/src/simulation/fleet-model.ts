import { Type, type Static } from 'typebox';
import { readDocument, SimulationRefused } from './refused.ts';

const closed = { additionalProperties: false } as const;
const Share = (description: string, value = 0) =>
  Type.Number({ minimum: 0, maximum: 1, default: value, description });
const Spread = (description: string) => Type.Number({ minimum: 0, maximum: 3, default: 0, description });

const DeviceClass = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    share: Type.Number({
      exclusiveMinimum: 0,
      description: 'Part of the fleet; parts are taken relative to their sum.',
    }),
    gigaflops: Type.Number({
      exclusiveMinimum: 0,
      description: 'Products of training, in 10^9 floating-point operations a second, of the middle device.',
    }),
    speedSpread: Spread('Standard deviation of the logarithm of that speed over devices.'),
    downBytesPerSecond: Type.Number({ exclusiveMinimum: 0 }),
    upBytesPerSecond: Type.Number({ exclusiveMinimum: 0 }),
    linkSpread: Spread('Standard deviation of the logarithm of both link speeds over devices.'),
    dropOut: Share('Probability that a device vanishes in a round, after it accepted, at a random moment.'),
    declines: Share('Probability that a device declines an offer, for the conditions that only it knows.'),
  },
  closed,
);

/** What is assumed of a fleet (docs/simulate.md). */
export const FleetModel = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    classes: Type.Array(DeviceClass, { minItems: 1, maxItems: 64 }),
    roundTripMs: Type.Number({
      minimum: 0,
      maximum: 60_000,
      default: 0,
      description: 'Of a message and its answer.',
    }),
    availability: Type.Array(Share('Share of the devices that can be asked.', 1), {
      minItems: 24,
      maxItems: 24,
      description: 'By hour of the day, the first from midnight on.',
    }),
    startHour: Type.Integer({
      minimum: 0,
      maximum: 23,
      default: 0,
      description: 'Hour of the day at which the task starts.',
    }),
  },
  closed,
);
export type FleetModel = Static<typeof FleetModel>;
export type DeviceClass = Static<typeof DeviceClass>;

/**
 * Phones that take part while they charge on Wi-Fi, mostly at night, and a few laptops. Assumed, not measured: speeds are a
 * tenth to a third of a server's core, links those of ordinary homes, and a twentieth of the devices is lost in a round.
 */
export const phonesAtNight: FleetModel = {
  name: 'phones at night',
  classes: [
    {
      name: 'older phone',
      share: 0.35,
      gigaflops: 2,
      speedSpread: 0.4,
      downBytesPerSecond: 1_000_000,
      upBytesPerSecond: 250_000,
      linkSpread: 0.6,
      dropOut: 0.08,
      declines: 0.05,
    },
    {
      name: 'phone',
      share: 0.5,
      gigaflops: 6,
      speedSpread: 0.4,
      downBytesPerSecond: 3_000_000,
      upBytesPerSecond: 1_000_000,
      linkSpread: 0.6,
      dropOut: 0.04,
      declines: 0.05,
    },
    {
      name: 'laptop',
      share: 0.15,
      gigaflops: 15,
      speedSpread: 0.3,
      downBytesPerSecond: 6_000_000,
      upBytesPerSecond: 2_000_000,
      linkSpread: 0.6,
      dropOut: 0.02,
      declines: 0.05,
    },
  ],
  roundTripMs: 150,
  availability: [
    ...[0.34, 0.36, 0.36, 0.35, 0.32, 0.26, 0.16, 0.09, 0.06, 0.05, 0.05, 0.05],
    ...[0.05, 0.05, 0.05, 0.05, 0.05, 0.06, 0.07, 0.09, 0.12, 0.18, 0.25, 0.31],
  ],
  startHour: 20,
};

/** Every device is there, answers at once and never drops out: what is left is the plan, and the time of computing. */
export const idealFleet: FleetModel = {
  name: 'ideal',
  classes: [
    {
      name: 'device',
      share: 1,
      gigaflops: 10,
      speedSpread: 0,
      downBytesPerSecond: 1e9,
      upBytesPerSecond: 1e9,
      linkSpread: 0,
      dropOut: 0,
      declines: 0,
    },
  ],
  roundTripMs: 0,
  availability: new Array<number>(24).fill(1),
  startHour: 0,
};

/** @throws SimulationRefused `simulation-invalid` */
export function readFleetModel(json: unknown): FleetModel {
  const model = readDocument(FleetModel, json, 'The fleet model');
  if (model.availability.every((share) => share === 0))
    throw new SimulationRefused(
      'simulation-invalid',
      'The fleet model is never available: at some hour a device must be there.',
    );
  return model;
}
