import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, SumOverflow, type FixedPointBlock } from './fixed-point.ts';
import { decodeRingSum, encodeForRing, ringLayout, RingSumError, spareBits } from './ring-encoding.ts';
import { newVector } from './protocol/words.ts';

const blocks: FixedPointBlock[] = [
  { name: 'parameters', size: 3, scaleBits: 24, clip: 64, weighted: true, limbs: 1 },
  { name: 'moments', size: 2, scaleBits: 39, clip: 2 ** 37, weighted: true, limbs: 3 },
  { name: 'metrics', size: 2, scaleBits: 20, clip: 2 ** 20, weighted: false, limbs: 1 },
];
const values = (size: number, most: number) =>
  fc.array(fc.oneof(fc.constantFrom(most, -most), fc.double({ min: -most, max: most, noNaN: true })), {
    minLength: size,
    maxLength: size,
  });
const contribution = fc.record({
  values: fc.tuple(values(3, 64), values(2, 2 ** 37), values(2, 2 ** 20)),
  weight: fc.oneof(fc.constantFrom(1, 4096), fc.integer({ min: 1, max: 4096 })),
});

describe.each([32, 16] as const)('the ring of %i bits', (ring) => {
  it('sums to the integers of the clear fixed point, exactly', () => {
    fc.assert(
      fc.property(fc.array(contribution, { minLength: 1, maxLength: 12 }), (list) => {
        const layout = ringLayout(blocks, { ring, maxWeight: 4096, maxCount: 12 });
        const sum = newVector(ring, layout.length);
        for (const { values, weight } of list) {
          const vector = encodeForRing(layout, values, weight);
          for (let at = 0; at < sum.length; at++) sum[at] = sum[at]! + vector[at]!;
        }
        const { lanes, weight } = decodeRingSum(layout, sum, list.length);
        expect(weight).toBe(list.reduce((total, each) => total + each.weight, 0));
        const expected = blocks.map((block, index) =>
          list
            .map(({ values, weight }) =>
              encode(values[index]!, block).map((integer) => integer * (block.weighted ? weight : 1)),
            )
            .reduce((total, each) => total.map((integer, at) => integer + each[at]!)),
        );
        expect(lanes.map((lane) => [...lane].map((v) => v + 0))).toEqual(
          expected.map((lane) => [...lane].map((v) => v + 0)),
        );
      }),
    );
  });
});

describe('the layout', () => {
  it('takes one word where the encoding leaves room, and says how much', () => {
    const small = { ...blocks[0]!, scaleBits: 12, clip: 4 };
    const layout = ringLayout([small], { ring: 32, maxWeight: 1024, maxCount: 16 });
    expect(layout.length).toBe(3 + 1);
    expect(spareBits(layout, 'parameters')).toBe(31 - 4 - (12 + 2 + 10));
    expect(ringLayout([blocks[0]!], { ring: 32, maxWeight: 4096, maxCount: 16 }).length).toBe(2 * 3 + 1);
  });

  it('refuses groups that leave a digit no room', () => {
    expect(() => ringLayout(blocks, { ring: 16, maxWeight: 1, maxCount: 4096 })).toThrow(SumOverflow);
    expect(() => ringLayout(blocks, { ring: 16, maxWeight: 1, maxCount: 2048 })).not.toThrow();
  });

  it('refuses sums that float64 does not hold', () => {
    const wide = { ...blocks[0]!, scaleBits: 40 };
    expect(() => ringLayout([wide], { ring: 32, maxWeight: 4096, maxCount: 16 })).toThrow(SumOverflow);
  });

  it('refuses sums that no contributions give', () => {
    const layout = ringLayout(blocks, { ring: 32, maxWeight: 4096, maxCount: 12 });
    expect(() => decodeRingSum(layout, newVector(32, layout.length), 3)).toThrow(RingSumError);
    const noise = newVector(32, layout.length).fill(0x12345678);
    expect(() => decodeRingSum(layout, noise, 3)).toThrow(RingSumError);
  });

  it('refuses weights outside the range', () => {
    const layout = ringLayout(blocks, { ring: 32, maxWeight: 16, maxCount: 3 });
    for (const weight of [0, 17, 1.5, Number.NaN]) {
      expect(() =>
        encodeForRing(
          layout,
          [
            [0, 0, 0],
            [0, 0],
            [0, 0],
          ],
          weight,
        ),
      ).toThrow(RangeError);
    }
  });
});
