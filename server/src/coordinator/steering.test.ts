import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '@starling/model';
import { delayFrom, delayWindow, returnWindow } from './steering.ts';

const pace = { minDelayMs: 1_000, maxDelayMs: 3_000 };

/** Arrivals in each second of a virtual hour, after all devices came in the first moment. */
function arrivals(devices: number, rate: number, seed: number): number[] {
  const random = stream(seed, 'arrivals');
  const seconds = new Array<number>(3_600).fill(0);
  const window = delayWindow(pace, devices, rate);
  for (let device = 0; device < devices; device++) {
    for (let atMs = 0; ;) {
      atMs += delayFrom(window, random.nextFloat());
      const second = Math.floor(atMs / 1000);
      if (second >= seconds.length) break;
      seconds[second]!++;
    }
  }
  return seconds;
}

describe('pace steering', () => {
  it('keeps arrivals within the rate, whatever the fleet, after all came at once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 5, max: 400 }),
        fc.nat(1000),
        (devices, rate, seed) => {
          // Chance adds to the bound: six deviations of a Poisson variable.
          const bound = rate + 6 * Math.sqrt(rate);
          expect(Math.max(...arrivals(devices, rate, seed))).toBeLessThanOrEqual(bound);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('lets a small fleet come at the pace of its plan', () => {
    expect(delayWindow(pace, 0)).toEqual(pace);
    expect(delayWindow(pace, 100)).toEqual(pace);
  });

  it('loses nobody: a large fleet comes in the time that the rate needs for it', () => {
    const seconds = arrivals(10_000, 100, 1);
    const total = seconds.reduce((sum, count) => sum + count);
    expect(total / 3_600).toBeGreaterThan(100 / 2);
    expect(delayWindow(pace, 1e9).maxDelayMs).toBe(24 * 3_600_000);
  });

  it('draws every delay from its window', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.nat(1_000_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (min, width, random) => {
          const delay = delayFrom({ minDelayMs: min, maxDelayMs: min + width }, random);
          expect(delay).toBeGreaterThanOrEqual(min);
          expect(delay).toBeLessThanOrEqual(min + width);
        },
      ),
    );
  });

  it('spreads the devices of a node that goes over as many seconds as the rate needs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.nat(1000), (devices, seed) => {
        const random = stream(seed, 'returns');
        const window = returnWindow(devices, 200);
        const seconds = new Map<number, number>();
        for (let device = 0; device < devices; device++) {
          const second = Math.floor(delayFrom(window, random.nextFloat()) / 1000);
          seconds.set(second, (seconds.get(second) ?? 0) + 1);
        }
        expect(Math.max(...seconds.values())).toBeLessThanOrEqual(200 + 6 * Math.sqrt(200));
      }),
      { numRuns: 30 },
    );
  });
});
