import { Type, type Static } from 'typebox';

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
