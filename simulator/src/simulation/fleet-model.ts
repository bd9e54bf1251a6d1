import { FleetModel, type DeviceClass } from '@starling/protocol/schemas';
import { readDocument, SimulationRefused } from './refused.ts';

export { FleetModel, type DeviceClass };

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
