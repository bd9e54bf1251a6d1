import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, returnDelayMs } from './backoff.ts';

const drawing = (...bytes: number[]) => ({ bytes: () => Uint8Array.from(bytes) });

describe('backoffMs', () => {
  it('spreads over everything below a ceiling that doubles, up to a minute', () => {
    expect([0, 1, 2, 6, 7, 50].map((attempt) => backoffMs(attempt, drawing(255, 255)))).toEqual([
      499, 999, 1999, 31_999, 59_999, 59_999,
    ]);
    expect(backoffMs(7, drawing(0, 0))).toBe(0);
    expect(backoffMs(1, drawing(128, 0))).toBe(500);
  });

  it('stays within its bounds', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(255), fc.nat(255), (attempt, high, low) => {
        const delay = backoffMs(attempt, drawing(high, low));
        return delay >= 0 && delay < Math.min(60_000, 500 * 2 ** attempt);
      }),
    );
  });
});

describe('returnDelayMs', () => {
  it('spreads over the window that the server named', () => {
    const window = { minDelayMs: 1_000, maxDelayMs: 50_000 };
    expect(returnDelayMs(window, drawing(0, 0))).toBe(1_000);
    expect(returnDelayMs(window, drawing(128, 0))).toBe(25_500);
    expect(returnDelayMs(window, drawing(255, 255))).toBeLessThan(50_000);
  });

  it.each([
    { minDelayMs: 5, maxDelayMs: 1 },
    { minDelayMs: -1, maxDelayMs: 1 },
    { minDelayMs: 0, maxDelayMs: Infinity },
    { minDelayMs: Number.NaN, maxDelayMs: 1 },
  ])('takes %o for no window', (window) => {
    expect(returnDelayMs(window, drawing(128, 0))).toBe(250);
  });
});
