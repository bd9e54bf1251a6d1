import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { FixedPointError, SumOverflow, type FixedPointBlock } from '@starling/secure';
import { WeightedSum, WeightedSumError, type Contribution } from './weighted-sum.ts';

const blocks: FixedPointBlock[] = [
  { name: 'parameters', size: 4, scaleBits: 24, clip: 64, weighted: true, limbs: 1 },
  { name: 'moments', size: 2, scaleBits: 39, clip: 2 ** 37, weighted: true, limbs: 3 },
  { name: 'metrics', size: 2, scaleBits: 20, clip: 2 ** 20, weighted: false, limbs: 1 },
];
const values = (size: number, most: number) =>
  fc.array(fc.double({ min: -most, max: most, noNaN: true }), { minLength: size, maxLength: size });
const contribution: fc.Arbitrary<Contribution> = fc.record({
  blocks: fc.tuple(values(4, 64), values(2, 2 ** 37), values(2, 2 ** 20)),
  weight: fc.integer({ min: 1, max: 4096 }),
});
const many = fc.array(contribution, { minLength: 1, maxLength: 12 });

function total(contributions: readonly Contribution[]): WeightedSum {
  const sum = new WeightedSum(blocks);
  for (const each of contributions) sum.add(each);
  return sum;
}
function bits(sum: WeightedSum): string {
  const all = blocks.flatMap(({ name }) => [sum.sum(name), sum.mean(name)]);
  return all.map((vector) => new BigUint64Array(vector.buffer).join()).join(';');
}

describe('a weighted sum', () => {
  it('has the same bits in any order', () => {
    fc.assert(
      fc.property(
        many.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          expect(bits(total(shuffled))).toBe(bits(total(list)));
        },
      ),
    );
  });

  it('has the same bits in any grouping', () => {
    fc.assert(
      fc.property(many, fc.nat(12), (list, cut) => {
        const left = total(list.slice(0, cut));
        left.merge(total(list.slice(cut)));
        expect(bits(left)).toBe(bits(total(list)));
        expect(left.count).toBe(list.length);
        expect(left.totalWeight).toBe(list.reduce((sum, { weight }) => sum + weight, 0));
      }),
    );
  });

  it('equals a sum in whole numbers without limit', () => {
    fc.assert(
      fc.property(many, (list) => {
        const sum = total(list);
        const exact = (block: number, index: number, scale: number) =>
          list.reduce((whole, { blocks, weight }) => {
            const value = blocks[block]![index]!;
            const integer = BigInt(Math.sign(value)) * BigInt(Math.round(Math.abs(value) * scale));
            return whole + integer * BigInt(block === 2 ? 1 : weight);
          }, 0n);
        for (const [index, value] of sum.sum('parameters').entries())
          expect(value * 2 ** 24).toBe(Number(exact(0, index, 2 ** 24)));
        for (const [index, value] of sum.sum('metrics').entries())
          expect(value * 2 ** 20).toBe(Number(exact(2, index, 2 ** 20)));
        for (const [index, value] of sum.sum('moments').entries()) {
          const nearest = Number(exact(1, index, 2 ** 39));
          expect(Math.abs(value * 2 ** 39 - nearest)).toBeLessThanOrEqual(Math.abs(nearest) * 2 ** -51);
        }
      }),
    );
  });

  it('takes a contribution wholly or not at all', () => {
    const sum = total([
      {
        blocks: [
          [1, 2, 3, 4],
          [5, 6],
          [7, 8],
        ],
        weight: 2,
      },
    ]);
    const before = bits(sum);
    const good = {
      blocks: [
        [1, 1, 1, 1],
        [1, 1],
        [1, 1],
      ],
      weight: 1,
    };
    expect(() => {
      sum.add({
        ...good,
        blocks: [
          [1, 1, 1, 1],
          [1, 1],
          [1, Number.NaN],
        ],
      });
    }).toThrow(FixedPointError);
    expect(() => {
      sum.add({ ...good, blocks: [[1, 1, 1, 1]] });
    }).toThrow(WeightedSumError);
    for (const weight of [0, -1, 1.5, 4097, Number.NaN]) {
      expect(() => {
        sum.add({ ...good, weight });
      }).toThrow(WeightedSumError);
    }
    expect(bits(sum)).toBe(before);
  });

  it('takes several contributions of float32, or none of them', () => {
    const part = (...values: number[][]) => ({
      blocks: values.map((one) => Float32Array.from(one)),
      weight: 3,
    });
    const good = part([1, -2, 3, 4], [5, 6], [7, 8]);
    const sum = new WeightedSum(blocks, { maxWeight: 4096 });
    sum.addAll([good, good]);
    const before = bits(sum);
    for (const bad of [
      part([1, 1, 1, 1], [1, 1], [1, Infinity]),
      part([1, 1, 1, 1], [Number.NaN, 1], [1, 1]),
      part([1, 1, 1, 1000], [1, 1], [1, 1]),
    ]) {
      expect(() => {
        sum.addAll([good, bad, good]);
      }).toThrow(FixedPointError);
      expect(bits(sum)).toBe(before);
    }
  });

  it('gives weighted means for weighted blocks and plain sums for the others', () => {
    const sum = total([
      {
        blocks: [
          [1, 0, 0, 0],
          [10, 0],
          [1, 2],
        ],
        weight: 1,
      },
      {
        blocks: [
          [4, 0, 0, 0],
          [40, 0],
          [3, 4],
        ],
        weight: 2,
      },
    ]);
    expect([...sum.mean('parameters')]).toEqual([3, 0, 0, 0]);
    expect([...sum.mean('moments')]).toEqual([30, 0]);
    expect([...sum.sum('metrics')]).toEqual([4, 6]);
    expect([...sum.mean('metrics')]).toEqual([2, 3]);
  });

  it('refuses to grow beyond what is exact', () => {
    const tight = [{ ...blocks[0]!, scaleBits: 40 }];
    const sum = new WeightedSum(tight, { maxWeight: 64 });
    sum.add({ blocks: [[64, 0, 0, 0]], weight: 64 });
    sum.add({ blocks: [[64, 0, 0, 0]], weight: 64 });
    expect(() => {
      sum.add({ blocks: [[64, 0, 0, 0]], weight: 64 });
    }).toThrow(SumOverflow);
    expect(sum.count).toBe(2);
  });

  it('is not merged with sums over other blocks or weights', () => {
    const sum = new WeightedSum(blocks);
    expect(() => {
      sum.merge(new WeightedSum(blocks.slice(1)));
    }).toThrow(WeightedSumError);
    expect(() => {
      sum.merge(new WeightedSum(blocks, { maxWeight: 2 ** 20 }));
    }).toThrow(WeightedSumError);
  });
});
