import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { assertSumFits, decode, encode, SumOverflow, type FixedPointBlock } from './fixed-point.ts';

const narrow: FixedPointBlock = { name: 'p', size: 3, scaleBits: 24, clip: 64, weighted: true, limbs: 1 };
const wide: FixedPointBlock = { name: 'm', size: 3, scaleBits: 39, clip: 2 ** 37, weighted: true, limbs: 3 };

describe('fixed point', () => {
  it('rounds halves away from zero, on both sides alike', () => {
    const block = { ...narrow, scaleBits: 1 };
    expect([...encode([0.25, -0.25, 0.74], block)]).toEqual([1, -1, 1]);
    expect([...encode([-0.24, -0, 0.24], block)]).toEqual([0, 0, 0]);
  });

  it('comes back within half a step', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -64, max: 64, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (values) => {
          const back = decode(encode(values, narrow), narrow, 1);
          for (const [index, value] of values.entries())
            expect(Math.abs(back[index]! - value)).toBeLessThanOrEqual(2 ** -25);
        },
      ),
    );
  });

  it('splits wide values in limbs whose sum is the exact integer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -(2 ** 37), max: 2 ** 37, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (values) => {
          const lanes = encode(values, wide);
          for (const [index, value] of values.entries()) {
            const joined =
              (BigInt(lanes[6 + index]!) << 52n) + (BigInt(lanes[3 + index]!) << 26n) + BigInt(lanes[index]!);
            expect(joined).toBe(BigInt(Math.sign(value)) * BigInt(Math.round(Math.abs(value) * 2 ** 39)));
            for (const lane of [lanes[index]!, lanes[3 + index]!, lanes[6 + index]!])
              expect(Math.abs(lane)).toBeLessThan(2 ** 26);
          }
        },
      ),
    );
  });

  it.each([
    [[0, Number.NaN, 0], 'value-not-finite', 1],
    [[0, 0, Number.NEGATIVE_INFINITY], 'value-not-finite', 2],
    [[64.1, 0, 0], 'value-out-of-range', 0],
    [[0, 0], 'wrong-length', -1],
  ])('refuses %j', (values, code, index) => {
    expect(() => encode(values, narrow)).toThrow(expect.objectContaining({ code, index }));
  });

  it('admits exactly the sums that stay below 2^53', () => {
    expect(() => {
      assertSumFits(narrow, { maxWeight: 4096, maxCount: 2048 });
    }).not.toThrow();
    expect(() => {
      assertSumFits(narrow, { maxWeight: 4096, maxCount: 2049 });
    }).toThrow(SumOverflow);
    expect(() => {
      assertSumFits({ ...narrow, weighted: false }, { maxWeight: 4096, maxCount: 2 ** 23 });
    }).not.toThrow();
    expect(() => {
      assertSumFits(wide, { maxWeight: 4096, maxCount: 2 ** 15 });
    }).not.toThrow();
    expect(() => {
      assertSumFits({ ...wide, clip: 2 ** 39 }, { maxWeight: 1, maxCount: 1 });
    }).toThrow(/three limbs/);
  });

  it('says what to lower, and to what: any one of these then fits', () => {
    const limits = { maxWeight: 4096, maxCount: 100_000 };
    let message = '';
    try {
      assertSumFits(narrow, limits);
    } catch (error) {
      message = String(error);
    }
    const terms = [...message.matchAll(/(maxCount|maxWeight|scaleBits|clip) to ([\d.]+\d)/g)];
    expect(terms.map(([, term]) => term)).toEqual(['maxCount', 'maxWeight', 'scaleBits', 'clip']);
    for (const [, term, limit] of terms) {
      const lowered = { [term!]: Number(limit) };
      expect(() => {
        assertSumFits({ ...narrow, ...lowered }, { ...limits, ...lowered });
      }).not.toThrow();
      const above = { [term!]: term === 'clip' ? Number(limit) * 1.01 : Number(limit) + 1 };
      expect(() => {
        assertSumFits({ ...narrow, ...above }, { ...limits, ...above });
      }).toThrow(SumOverflow);
    }
  });

  it('keeps a sum within the words of a ring, on both sides of zero', () => {
    const short = { ...narrow, scaleBits: 10, clip: 1 };
    const fits = (maxCount: number, clip = 1) => {
      assertSumFits({ ...short, clip }, { maxWeight: 1, maxCount }, 2 ** 15 - 1);
    };
    expect(() => {
      fits(31);
    }).not.toThrow();
    expect(() => {
      fits(32);
    }).toThrow('Lower maxCount to 31');
    // A clip between two steps is rounded up by a value that lies on it.
    expect(() => {
      fits(31, 1056.5 / 1024);
    }).not.toThrow();
    expect(() => {
      fits(31, 1057.5 / 1024);
    }).toThrow(SumOverflow);
  });

  it('admits nothing that is not a number', () => {
    for (const block of [narrow, wide]) {
      expect(() => {
        assertSumFits({ ...block, clip: Number.NaN }, { maxWeight: 1, maxCount: 1 });
      }).toThrow(SumOverflow);
    }
    expect(() => {
      assertSumFits(wide, { maxWeight: Number.NaN, maxCount: 1 });
    }).toThrow(SumOverflow);
  });

  it('decodes wide sums to the nearest value or its neighbour', () => {
    const lane = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
    const one: FixedPointBlock = { ...wide, size: 1 };
    fc.assert(
      fc.property(fc.tuple(lane, lane, lane), ([low, middle, high]) => {
        const [value] = decode(Float64Array.of(low, middle, high), one, 1);
        const exact = (BigInt(high) << 52n) + (BigInt(middle) << 26n) + BigInt(low);
        const nearest = Number(exact) / 2 ** 39;
        expect(Math.abs(value! - nearest)).toBeLessThanOrEqual(Math.abs(nearest) * 2 ** -51);
      }),
    );
  });
});
