import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

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
