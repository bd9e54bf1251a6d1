import { describe, expect, it } from 'vitest';
import { randomStream } from './random-stream.ts';

describe('a random stream', () => {
  const take = (seed: number, name: string, count: number) => {
    const random = randomStream(seed, name);
    return Array.from({ length: count }, () => random.uniform());
  };

  it('repeats itself for the same seed and name, and only then', () => {
    expect(take(7, 'a', 100)).toEqual(take(7, 'a', 100));
    expect(take(7, 'a', 3)).not.toEqual(take(7, 'b', 3));
    expect(take(7, 'a', 3)).not.toEqual(take(8, 'a', 3));
  });

  it('is flat: 64 equal bins of 64,000 draws stay within five standard deviations', () => {
    const bins = new Array<number>(64).fill(0);
    for (const value of take(1, 'flat', 64_000)) bins[Math.floor(value * 64)]!++;
    for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });

  it('has normal draws with mean 0, variance 1 and the fourth moment of a normal', () => {
    const random = randomStream(1, 'normal');
    const draws = Array.from({ length: 100_000 }, () => random.normal());
    const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / draws.length;
    expect(moment(1)).toBeCloseTo(0, 1);
    expect(moment(2)).toBeCloseTo(1, 1);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
  });
});
