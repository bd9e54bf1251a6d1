import { describe, expect, it } from 'vitest';
import { DegreeError, degreeFor } from './degree.ts';

/** (corrupt, drop-out) of each column. */
const columns = [
  [0.05, 0.05],
  [0.1, 0.1],
  [0.1, 0.2],
  [0.1, 0.3],
  [0.2, 0.2],
  [0.33, 0.2],
] as const;

/** Rows of an independent computation in floating point (log-gamma), privacy 2^-40. "-": more than 254 neighbours. */
const table: [correctnessBits: number, size: number, cells: string][] = [
  [40, 100, '12/7 22/12 42/22 62/32 42/22 54/34'],
  [40, 300, '28/15 46/24 88/45 154/78 88/45 124/73'],
  [40, 1000, '36/19 58/30 124/63 - 124/63 194/113'],
  [40, 10_000, '42/22 68/35 152/77 - 152/77 -'],
  [20, 100, '12/7 22/12 38/20 60/31 40/21 54/34'],
  [20, 300, '22/13 36/21 60/31 116/59 74/41 108/67'],
  [20, 1000, '30/17 46/26 76/39 174/88 98/54 162/99'],
  [20, 10_000, '34/20 54/30 94/48 232/117 120/65 206/126'],
];

function cell(size: number, corrupt: number, dropOut: number, correctnessBits: number): string {
  try {
    const { degree, threshold } = degreeFor(size, corrupt, dropOut, 40, correctnessBits);
    return `${degree}/${threshold}`;
  } catch (error) {
    if (error instanceof DegreeError) return '-';
    throw error;
  }
}

describe('the degree of a group', () => {
  it.each(table)('equals the published table (correctness 2^-%i, %i members)', (bits, size, cells) => {
    expect(columns.map(([corrupt, dropOut]) => cell(size, corrupt, dropOut, bits)).join(' ')).toBe(cells);
  });

  it('is everyone up to 64 members, with two thirds of them as threshold', () => {
    expect(degreeFor(3, 0.1, 0.1, 40, 20)).toEqual({ degree: 2, threshold: 2 });
    expect(degreeFor(6, 0.1, 0.1, 40, 20)).toEqual({ degree: 5, threshold: 4 });
    expect(degreeFor(64, 0.1, 0.1, 40, 20)).toEqual({ degree: 63, threshold: 43 });
    expect(degreeFor(65, 0.1, 0.1, 40, 20).degree).toBeLessThan(64);
  });

  it('keeps the bound by counting every neighbourhood where that is feasible', () => {
    // 70 members, 7 corrupt: the chance of a neighbourhood with at least t corrupt members, by products of fractions.
    const { degree, threshold } = degreeFor(70, 0.1, 0.1, 20, 10);
    const ways = (population: number, drawn: number) => {
      let value = 1;
      for (let i = 0; i < drawn; i++) value *= (population - i) / (drawn - i);
      return value;
    };
    const atLeast = (t: number) => {
      let sum = 0;
      for (let x = t; x <= 7; x++) sum += ways(7, x) * ways(62, degree - x);
      return (70 * sum) / ways(69, degree);
    };
    expect(degree % 2).toBe(0);
    expect(threshold).toBeGreaterThan(degree / 2);
    expect(atLeast(threshold)).toBeLessThanOrEqual(2 ** -20);
    if (threshold > degree / 2 + 1) expect(atLeast(threshold - 1)).toBeGreaterThan(2 ** -20);
  });

  it('counts thousandths exactly', () => {
    // floor(0.29 * 100) is 28 in floating point.
    const atHundredths = (dropOut: number) => degreeFor(100, 0.1, dropOut, 40, 20);
    expect(atHundredths(0.29)).toEqual(atHundredths(0.2901));
    expect(atHundredths(0.29)).not.toEqual(atHundredths(0.28));
  });

  it.each([
    [2, 0.1, 0.1, 40, 20],
    [65_536, 0.1, 0.1, 40, 20],
    [10.5, 0.1, 0.1, 40, 20],
    [100, -0.1, 0.1, 40, 20],
    [100, 0.1, 1, 40, 20],
    [100, Number.NaN, 0.1, 40, 20],
    [100, 0.1, 0.1, 0, 20],
    [100, 0.1, 0.1, 40, 256],
    [20, 0.7, 0.1, 40, 20],
    [1000, 0.5, 0.4, 40, 20],
  ])('refuses %d members, corrupt %d, dropping %d, bits %d and %d', (...args) => {
    expect(() => degreeFor(...args)).toThrow(DegreeError);
  });
});
