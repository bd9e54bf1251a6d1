/** Whose data each virtual device has. Nothing is kept for a device: its rows are read, or made, when it is in a round. */
import type { Model } from '@starling/model';
import { examplesOf, labelledRows } from '../data/examples.ts';
import { Pack, type PackParts } from '../data/fedpack.ts';
import type { Examples } from '../data/examples.ts';
import { patternExamples, patternsFor, type PatternOptions } from './pattern-examples.ts';
import { SimulationRefused } from './refused.ts';

/** Fewest rows that a device is made with: to adapt on some and be judged on others. */
const fewestRows = 4;

/** The data of a population, as it is handed to a thread. */
export type PopulationOrder =
  | {
      readonly kind: 'pack';
      readonly devices: number;
      readonly pack: PackParts;
      readonly holdout: PackParts;
      readonly train: readonly string[];
      readonly heldOut: readonly string[];
    }
  | {
      readonly kind: 'patterns';
      readonly devices: number;
      readonly heldOut: number;
      readonly patterns: PatternOptions;
    };

/** Made-up rows for a model, `rows` a device; a fifth as many devices, at most 100, are held out. @throws SimulationRefused */
export function syntheticPopulation(
  model: Model,
  {
    devices = 1_000,
    rows,
    seed,
  }: { readonly devices?: number; readonly rows: number; readonly seed: number },
): PopulationOrder {
  const heldOut = Math.min(100, Math.ceil(devices / 5));
  return { kind: 'patterns', devices, heldOut, patterns: patternsFor(model, seed, rows) };
}

/**
 * Devices 0 to `training` - 1 train, those from there to `size` - 1 are held out: they are only judged. With more devices than
 * people in a pack, a person's rows are dealt out among several; who is held out is one device with all its rows.
 */
export interface Population {
  readonly training: number;
  readonly size: number;
  /** People behind the devices that train. */
  readonly people: number;
  /** Rows of a device, without reading them. */
  rowsOf(device: number): number;
  examplesOf(device: number): Examples;
}

/** @throws SimulationRefused `simulation-too-few-devices` Where a device would be left with too few rows. */
export function openPopulation(order: PopulationOrder): Population {
  return order.kind === 'pack' ? packPopulation(order) : patternPopulation(order);
}

function packPopulation(order: Extract<PopulationOrder, { kind: 'pack' }>): Population {
  const { devices, train, heldOut } = order;
  const pack = new Pack(...order.pack);
  const holdout = order.holdout === order.pack ? pack : new Pack(...order.holdout);
  const rows = train.map((user) => labelledRows(pack, user));
  const partOf = (device: number) => ({
    person: device % train.length,
    part: {
      at: Math.floor(device / train.length),
      of: Math.ceil((devices - (device % train.length)) / train.length),
    },
  });
  const rowsOf = (device: number) => {
    if (device >= devices) return labelledRows(holdout, heldOut[device - devices]!);
    const { person, part } = partOf(device);
    return Math.ceil((rows[person]! - part.at) / part.of);
  };
  for (const [person, user] of train.entries()) {
    const { of } = partOf(person).part;
    if (of === 1 || rows[person]! >= of * fewestRows) continue;
    throw new SimulationRefused(
      'simulation-too-few-devices',
      `${devices} devices share the rows of ${train.length} people, and the ${rows[person]!} rows of ${JSON.stringify(user)} are too few for ${of} of them, ${fewestRows} each. Lower --devices, or use --synthetic.`,
    );
  }
  return {
    ...{ training: devices, size: devices + heldOut.length, people: Math.min(devices, train.length), rowsOf },
    examplesOf: (device) => {
      if (device >= devices) return examplesOf(holdout, heldOut[device - devices]!);
      const { person, part } = partOf(device);
      return examplesOf(pack, train[person]!, { part });
    },
  };
}

function patternPopulation(order: Extract<PopulationOrder, { kind: 'patterns' }>): Population {
  const { devices, heldOut, patterns } = order;
  return {
    ...{ training: devices, size: devices + heldOut, people: devices },
    rowsOf: () => patterns.rows,
    examplesOf: (device) => patternExamples(patterns, device),
  };
}
