import { unmaskingThreads } from '@starling/server';
import { describe, expect, it } from 'vitest';
import { BenchGroup } from './group.ts';
import type { Line } from './rows.ts';
import { benchUnmask } from './unmask.ts';

describe('the bench of secure aggregation', { timeout: 180_000 }, () => {
  it.each([16, 32] as const)(
    'a group of the bench gives the sum of its survivors (%i bits)',
    async (ring) => {
      const group = await BenchGroup.of({
        size: 70,
        length: 40_001,
        ring,
        dropOutPermille: 200,
        dropOuts: 7,
      });
      expect(group.degree).toBeLessThan(69);
      await group.reachMasking();
      const summed = await group.reachSum(unmaskingThreads({ wordsAtOnce: 1e9 }));
      expect(summed.survivors.filter(Boolean)).toHaveLength(63);
      expect(() => {
        group.check(summed, summed.sum); // under masks
      }).toThrow(/wrong/);
      const unmasking = unmaskingThreads({ wordsAtOnce: 1e9 });
      await unmasking.apply(summed.work, summed.sum);
      group.check(summed, summed.sum);
      // Everything that a device said and heard: its words, and little else.
      const [first] = group.devices.filter(({ up }) => up > 40_000);
      expect(first!.up).toBeGreaterThan((ring / 8) * 40_001 + 3_000);
      expect(first!.up).toBeLessThan((ring / 8) * 40_001 + 10_000);
    },
  );

  it('reports an unmasking beside its target', async () => {
    const lines: Line[] = [];
    const spec = { size: 8, length: 1000, ring: 32, dropOuts: 2 } as const;
    await benchUnmask(
      { name: 'small', spec, graph: { dropOutPermille: 200 }, runs: 2, limitSeconds: 1e-9 },
      (line) => lines.push(line),
    );
    expect(lines).toMatchObject([
      { case: 'small', contender: '2 threads', unit: 's', runs: 2 },
      { case: 'small', contender: '2 threads', runs: 2 },
      { case: 'small', contender: 'one loop', runs: 1 },
      { case: 'small', contender: 'server' },
      { case: 'small', target: '2 threads <= 1e-9 s', pass: false },
    ]);
  });
});
