import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '@starling/protocol';
import { RateLimit } from './rate-limits.ts';

function limited(take: () => void): number | undefined {
  try {
    take();
    return undefined;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error.code).toBe('rate-limited');
    return error.extra.retryAfterMs;
  }
}

describe('a rate limit', () => {
  it('grants a burst, then what the rate refills, and says when', () => {
    let now = 0;
    const limit = new RateLimit('tries', { burst: 3, perSecond: 2 }, () => now);
    for (let index = 0; index < 3; index++) limit.take('a');
    expect(
      limited(() => {
        limit.take('a');
      }),
    ).toBe(500);
    limit.take('b'); // others are not affected
    now = 500;
    limit.take('a');
    expect(
      limited(() => {
        limit.take('a');
      }),
    ).toBe(500);
  });

  it('never grants more than burst + rate x time, and grants when the time it named has passed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.record({ wait: fc.nat(2000), cost: fc.integer({ min: 1, max: 20 }) }), { maxLength: 60 }),
        (burst, perSecond, takes) => {
          let now = 0;
          let granted = 0;
          const limit = new RateLimit('tries', { burst, perSecond }, () => now);
          for (const { wait, cost } of takes) {
            now += wait;
            const retryAfterMs = limited(() => {
              limit.take('a', cost);
            });
            if (retryAfterMs !== undefined) {
              now += retryAfterMs;
              limit.take('a', cost);
            }
            granted += Math.min(cost, burst);
            expect(granted).toBeLessThanOrEqual(burst + (now / 1000) * perSecond + 1e-6);
          }
        },
      ),
    );
  });
});
