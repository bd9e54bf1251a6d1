import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '@starling/protocol';
import { compareWeights } from './compare.ts';

function file(tensors: Record<string, number[]>): Map<string, Tensor> {
  return new Map(
    Object.entries(tensors).map(([name, values]) => [
      name,
      { name, dtype: 'F32', shape: [values.length], data: Float32Array.from(values) },
    ]),
  );
}

describe('comparing weights', () => {
  it('measures each tensor and all together, the greatest distance first', () => {
    const result = compareWeights(file({ a: [3, 4], b: [1, 1] }), file({ a: [3, 4], b: [1, 4] }), 3);
    expect(result.tensors).toEqual([
      { name: 'b', shape: [2], norms: [Math.SQRT2, Math.sqrt(17)], distance: 3, largest: 3 },
      { name: 'a', shape: [2], norms: [5, 5], distance: 0, largest: 0 },
    ]);
    expect(result).toMatchObject({ distance: 3, largest: 3, equal: 3, count: 4, histogram: [0, 3, 1] });
    expect(result.norms[0]).toBeCloseTo(Math.sqrt(27), 9);
  });

  it('puts a file beside itself at distance zero, all in the middle bin', () => {
    const own = file({ a: [1, -2, 3] });
    expect(compareWeights(own, own, 5)).toMatchObject({ distance: 0, equal: 3, histogram: [0, 0, 3, 0, 0] });
  });

  it('names what only one of them has, or has in another shape', () => {
    const result = compareWeights(file({ a: [1], b: [1, 2] }), file({ b: [1], c: [1] }));
    expect([...result.unmatched].sort()).toEqual(['a', 'b', 'c']);
    expect(result).toMatchObject({ count: 0, distance: 0 });
  });

  it('counts every value in one bin, mirrored when the two change places', () => {
    const values = fc.array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const there = compareWeights(file({ a }), file({ a: b }), 9);
        const back = compareWeights(file({ a: b }), file({ a }), 9);
        expect(there.histogram.reduce((sum, bin) => sum + bin, 0)).toBe(8);
        expect(back.distance).toBe(there.distance);
        expect(there.histogram[8]! + there.histogram[0]!).toBeGreaterThanOrEqual(there.largest > 0 ? 1 : 0);
      }),
    );
  });
});
