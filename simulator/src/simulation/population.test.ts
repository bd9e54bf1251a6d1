import { describe, expect, it } from 'vitest';
import { encodePack } from '../data/encode-pack.ts';
import { examplesOf } from '../data/examples.ts';
import { packFrom } from '../data/fedpack.ts';
import { openPopulation, type PopulationOrder } from './population.ts';

/** Three people with 20, 9 and 12 rows; row r is [r, -r], of class r mod 2. */
const counts = [20, 9, 12];
const rows = counts.reduce((sum, count) => sum + count, 0);
const { index, data } = encodePack({
  name: 'people',
  title: 'A pack for tests',
  classes: ['even', 'odd'],
  users: counts.map((count, person) => ({ id: `person-${person}`, count })),
  arrays: [
    {
      ...{ name: 'x', dtype: 'float32', shape: [rows, 2] },
      values: Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? 1 : -1) * (i >> 1)),
    },
    { name: 'y', dtype: 'uint8', shape: [rows], values: Array.from({ length: rows }, (_, row) => row % 2) },
  ],
});
const pack = packFrom(index, data, 'memory:people');

function people(devices: number, train: readonly string[], heldOut: readonly string[] = []): PopulationOrder {
  return { kind: 'pack', devices, train, heldOut, pack: pack.parts, holdout: pack.parts };
}

describe('a population', () => {
  it('gives every device one person, where there are as many', () => {
    const population = openPopulation(people(2, ['person-0', 'person-1'], ['person-2']));
    expect(population).toMatchObject({ training: 2, size: 3, people: 2 });
    for (const device of [0, 1, 2])
      expect(population.examplesOf(device)).toEqual(examplesOf(pack, `person-${device}`));
  });

  it('deals out the rows of a person among several devices, each once', () => {
    const population = openPopulation(people(5, ['person-0', 'person-2']));
    const firsts = (devices: readonly number[]) =>
      devices.flatMap((device) => {
        const { x, y, count } = population.examplesOf(device);
        expect(count).toBe(population.rowsOf(device));
        return Array.from({ length: count }, (_, row) => {
          expect([x[2 * row + 1], y[row]]).toEqual([0 - x[2 * row]!, x[2 * row]! % 2]);
          return x[2 * row]!;
        });
      });
    expect(firsts([0, 2, 4]).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, row) => row));
    expect(firsts([1, 3]).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, row) => 29 + row));
  });

  it('refuses more devices than a person has rows for', () => {
    expect(() => openPopulation(people(4, ['person-0', 'person-1']))).not.toThrow();
    expect(() => openPopulation(people(6, ['person-0', 'person-1']))).toThrow('person-1');
  });

  it('makes the same rows for a device whenever it is asked, and others for another', () => {
    const patterns = { seed: 5, rows: 24, width: 8, classes: 3 };
    const population = openPopulation({ kind: 'patterns', devices: 10, heldOut: 2, patterns });
    expect(population.examplesOf(3)).toEqual(population.examplesOf(3));
    expect(population.examplesOf(3).x).not.toEqual(population.examplesOf(4).x);
    expect(population.rowsOf(11)).toBe(population.examplesOf(11).count);
  });
});
