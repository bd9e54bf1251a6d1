import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundStochastically } from './stochastic-rounding.ts';

const block = { name: 'parameters', scaleBits: 10, clip: 1 } as const;
const step = 2 ** -block.scaleBits;

describe('stochastic rounding', () => {
  it('gives one of the two neighbours on the grid, within the range, and float32 holds it', () => {
    const value = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), fc.nat(), (values, seed) => {
        const rounded = roundStochastically(values, block, seed);
        values.forEach((exact, at) => {
          const given = rounded[at]!;
          expect(Number.isInteger(given / step)).toBe(true);
          expect(Math.abs(given - exact)).toBeLessThan(step);
          expect(Math.abs(given)).toBeLessThanOrEqual(1);
          expect(Math.fround(given)).toBe(given);
        });
      }),
    );
  });

  it('leaves alone what is on the grid already', () => {
    const values = [-1, -0.5, -3 * step, 0, step, 0.75, 1];
    for (let seed = 0; seed < 50; seed++)
      expect([...roundStochastically(values, block, seed)]).toEqual(values);
  });

  it('stays in a range that ends between two steps', () => {
    const narrow = { ...block, clip: 2.5 * step };
    for (let seed = 0; seed < 50; seed++) {
      const [low, high] = roundStochastically([-2.5 * step, 2.5 * step], narrow, seed);
      expect([low, high]).toEqual([-2 * step, 2 * step]);
    }
  });

  it.each([0.07 * step, -0.4 * step, 12.9 * step, 0.3, -0.123456789])('has the mean %d', (value) => {
    const draws = 40_000;
    const rounded = roundStochastically(new Float64Array(draws).fill(value), block, 5);
    const mean = rounded.reduce((sum, each) => sum + each, 0) / draws;
    // The deviation of one draw is at most half a step: five deviations of the mean.
    expect(Math.abs(mean - value)).toBeLessThan((5 * step) / 2 / Math.sqrt(draws));
  });

  it('draws independently for each value, block and seed, and the same again', () => {
    const halves = new Float64Array(2000).fill(step / 2);
    const ups = (seed: number, name: 'parameters' | 'rates') =>
      [...roundStochastically(halves, { ...block, name }, seed)].map(Math.sign);
    const first = ups(1, 'parameters');
    expect(ups(1, 'parameters')).toEqual(first);
    for (const other of [ups(2, 'parameters'), ups(1, 'rates'), [...first.slice(1), 0]]) {
      const same = first.filter((up, at) => up === other[at]).length;
      expect(Math.abs(same - 1000)).toBeLessThan(5 * Math.sqrt(500));
    }
  });
});
