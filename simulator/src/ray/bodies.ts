/** Bodies of frames: V8's structured clone, which keeps every number's bits. Both ends run the same version of it. */
import { deserialize, serialize } from 'node:v8';
import type { PackParts } from '../data/fedpack.ts';
import type { Answers, CrewOrder, Question, RoundOrder } from '../simulation/crew.ts';
import type { PopulationOrder } from '../simulation/population.ts';

/** What runs a process: two of the same compute the same bits, and read one another's messages. */
export interface Engine {
  readonly node: string;
  readonly v8: string;
}

export const engineHere: Engine = { node: process.versions.node, v8: process.versions.v8 };

export interface RoundBegin {
  readonly order: RoundOrder;
  readonly values: Float32Array;
}

export type Reply = { readonly answer: Answers[Question['kind']] } | { readonly broken: string };

/** Shared memory does not travel: its bytes do. */
type PackBytes = readonly [PackParts[0], Uint8Array, string];
type PopulationBytes =
  | Exclude<PopulationOrder, { kind: 'pack' }>
  | (Omit<Extract<PopulationOrder, { kind: 'pack' }>, 'pack' | 'holdout'> & {
      readonly pack: PackBytes;
      readonly holdout: PackBytes | null;
    });

export function writeOrder({ population, values, ...rest }: CrewOrder): Uint8Array {
  const bytes: PopulationBytes =
    population.kind === 'patterns'
      ? population
      : {
          ...population,
          pack: bytesOf(population.pack),
          holdout: population.holdout === population.pack ? null : bytesOf(population.holdout),
        };
  return serialize({ ...rest, values: new Float32Array(values), population: bytes });
}

export function readOrder(body: Uint8Array): CrewOrder {
  // written by `writeOrder` of the same program
  const { population, ...rest } = deserialize(body) as Omit<CrewOrder, 'population'> & {
    population: PopulationBytes;
  };
  if (population.kind === 'patterns') return { ...rest, population };
  const pack = partsOf(population.pack);
  const holdout = population.holdout === null ? pack : partsOf(population.holdout);
  return { ...rest, population: { ...population, pack, holdout } };
}

const bytesOf = ([index, data, path]: PackParts): PackBytes => [index, new Uint8Array(data), path];

function partsOf([index, bytes, path]: PackBytes): PackParts {
  const data = new SharedArrayBuffer(bytes.length);
  new Uint8Array(data).set(bytes);
  return [index, data, path];
}
