import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf } from './group-sizes.ts';

const sizes = { target: 10, minimum: 3 };

describe('groups of ready devices', () => {
  it.each([
    [10, 0, [10], 0],
    [12, 0, [12], 0],
    [13, 0, [10, 3], 0],
    [22, 0, [10, 12], 0],
    [9, 0, [9], 0],
    [2, 0, [], 2],
    [0, 0, [], 0],
    [9, 4, [], 0],
    [10, 4, [], 0],
    [13, 4, [10], 0],
  ])('%i ready, %i pending: %j, %i left', (ready, pending, expected, left) => {
    expect(groupsOf(ready, pending, sizes)).toEqual({ sizes: expected, left });
  });

  it('takes everyone into groups of an allowed size, however readiness and drop-outs come', () => {
    const plan = fc
      .integer({ min: 3, max: 12 })
      .chain((minimum) =>
        fc.record({ minimum: fc.constant(minimum), target: fc.integer({ min: minimum, max: 30 }) }),
      );
    fc.assert(
      fc.property(plan, fc.array(fc.boolean(), { maxLength: 80 }), (plan, becomesReady) => {
        let [ready, pending, formed] = [0, becomesReady.length, 0];
        for (const isReady of becomesReady) {
          pending--;
          if (isReady) ready++;
          const { sizes, left } = groupsOf(ready, pending, plan);
          for (const size of sizes) {
            expect(size).toBeGreaterThanOrEqual(plan.minimum);
            expect(size).toBeLessThan(plan.target + plan.minimum);
          }
          const taken = sizes.reduce((sum, size) => sum + size, 0);
          ready -= taken + left;
          formed += taken;
          expect(left === 0 || (pending === 0 && left < plan.minimum && formed === 0)).toBe(true);
        }
        expect(ready).toBe(0);
      }),
    );
  });
});
