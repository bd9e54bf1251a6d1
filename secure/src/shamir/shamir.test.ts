/// <reference types="node" />
import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weightedSum } from './field.ts';
import { combine, split, type Share } from './index.ts';
import { evaluate, interpolateAtZero, inverse, multiply } from './testing/slow.ts';

function randomBytes(length: number): Uint8Array {
  return webcrypto.getRandomValues(new Uint8Array(length));
}

/** Answers these bytes, and says how many were asked for. */
function fixed(bytes: readonly number[]): (length: number) => Uint8Array {
  return (length) => {
    expect(length).toBe(bytes.length);
    return Uint8Array.from(bytes);
  };
}

const refusal = (code: string): unknown => expect.objectContaining({ name: 'SecureError', code });

function sharesOf(points: readonly number[], values: readonly Uint8Array[]): Share[] {
  return points.map((point, at) => ({ point, value: values[at]! }));
}

describe('the slow reference', () => {
  it('multiplies as FIPS 197, section 4.2, does', () => {
    expect(multiply(0x57, 0x83)).toBe(0xc1);
    expect(multiply(0x57, 0x13)).toBe(0xfe);
    expect(multiply(0x53, inverse(0x53))).toBe(1);
  });
});

describe('secret sharing', () => {
  it('multiplies every byte by every weight as the slow reference', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    for (let weight = 0; weight < 256; weight++) {
      const products = weightedSum(Uint8Array.of(weight), new Int32Array(bytes.buffer), 64);
      expect([...new Uint8Array(products.buffer)]).toEqual([...bytes].map((byte) => multiply(byte, weight)));
    }
  });

  it('gives the values of the polynomial whose coefficients it was handed', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { minLength: 1, maxLength: 20 }),
        fc.uint8Array({ minLength: 1, maxLength: 11 }),
        fc.nat(),
        fc.infiniteStream(fc.nat(255)),
        (points, secret, pick, stream) => {
          const threshold = 1 + (pick % points.length);
          const random = Array.from(
            { length: (threshold - 1) * secret.length },
            () => stream.next().value as number,
          );
          const values = split(secret, points, threshold, fixed(random));
          for (const [at, point] of points.entries()) {
            const expected = Array.from(secret, (byte, place) => {
              const others = random.filter((_, index) => index % secret.length === place);
              return evaluate([byte, ...others], point);
            });
            expect([...values[at]!]).toEqual(expected);
          }
        },
      ),
    );
  });

  it('rebuilds from every subset of t of n, for all t <= n <= 6, as the slow reference', () => {
    for (let n = 1; n <= 6; n++) {
      const points = [3, 254, 1, 128, 77, 200].slice(0, n);
      for (let threshold = 1; threshold <= n; threshold++) {
        const secret = randomBytes(5);
        const shares = sharesOf(points, split(secret, points, threshold, randomBytes));
        for (let subset = 0; subset < 2 ** n; subset++) {
          const some = shares.filter((_, at) => (subset >> at) & 1);
          if (some.length < threshold) {
            expect(() => combine(some, threshold)).toThrow(refusal('too-few-shares'));
            continue;
          }
          expect(combine(some, threshold)).toEqual(secret);
          expect(combine([...some].reverse(), threshold)).toEqual(secret);
          const slow = Array.from(secret, (_, place) =>
            interpolateAtZero(
              some.slice(0, threshold).map(({ point, value }) => ({ point, value: value[place]! })),
            ),
          );
          expect(slow).toEqual([...secret]);
        }
      }
    }
  });

  it('rebuilds 64 bytes from any 67 of 100 shares, and from 253 of 254', () => {
    for (const [n, threshold] of [
      [100, 67],
      [254, 253],
    ] as const) {
      const points = Array.from({ length: n }, (_, at) => at + 1);
      const secret = randomBytes(64);
      const shares = sharesOf(points, split(secret, points, threshold, randomBytes));
      for (let trial = 0; trial < 5; trial++) {
        const order = new Map(shares.map((share) => [share, randomBytes(1)[0]!]));
        const some = [...shares].sort((a, b) => order.get(a)! - order.get(b)!).slice(0, threshold);
        expect(combine(some, threshold)).toEqual(secret);
        expect(combine(some.slice(1), threshold - 1)).not.toEqual(secret);
      }
    }
  });

  it('shares every length, whole words or not', () => {
    for (let length = 1; length <= 70; length++) {
      const secret = randomBytes(length);
      const values = split(secret, [9, 5, 7], 2, randomBytes);
      expect(values.map((value) => value.length)).toEqual([length, length, length]);
      expect(combine(sharesOf([9, 5, 7], values).slice(1), 2)).toEqual(secret);
    }
  });

  it('reveals nothing by one share of two: each value of it comes once for each secret', () => {
    for (const point of [1, 2, 254]) {
      const seen = new Uint8Array(256 * 256);
      for (let secret = 0; secret < 256; secret++)
        for (let coefficient = 0; coefficient < 256; coefficient++) {
          const [value] = split(Uint8Array.of(secret), [point, 3], 2, () => Uint8Array.of(coefficient));
          seen[256 * secret + value![0]!]!++;
        }
      expect(seen.every((count) => count === 1)).toBe(true);
    }
  });

  it('reveals nothing by two shares of three: each pair of values comes once, whatever the secret', () => {
    for (const secret of [0, 0xa7]) {
      const seen = new Uint8Array(256 * 256);
      for (let one = 0; one < 256; one++)
        for (let two = 0; two < 256; two++) {
          const random = (): Uint8Array => Uint8Array.of(one, two);
          const [left, right] = split(Uint8Array.of(secret), [1, 2, 3], 3, random);
          seen[256 * left![0]! + right![0]!]!++;
        }
      expect(seen.every((count) => count === 1)).toBe(true);
    }
  });

  it('draws coefficients of their own for every byte, the highest one possibly zero', () => {
    const [share] = split(Uint8Array.of(5, 5), [1, 2], 2, fixed([0, 9]));
    expect([...share!]).toEqual([5, 5 ^ 9]);
  });

  it.each([
    ['no bytes', [], [1, 2], 2, 'wrong-length'],
    ['the point 0, which is the secret', [1], [0, 1], 2, 'wrong-point'],
    ['the point 255', [1], [1, 255], 2, 'wrong-point'],
    ['a point that is no integer', [1], [1, 1.5], 2, 'wrong-point'],
    ['a repeated point', [1], [4, 7, 4], 2, 'repeated-point'],
    ['a threshold of 0', [1], [1, 2], 0, 'wrong-threshold'],
    ['a threshold above the shares', [1], [1, 2], 3, 'wrong-threshold'],
    ['a threshold that is no integer', [1], [1, 2], 1.5, 'wrong-threshold'],
    ['no points', [1], [], 1, 'wrong-threshold'],
  ])('refuses to share at %s', (_, secret, points, threshold, code) => {
    expect(() => split(Uint8Array.from(secret), points, threshold, randomBytes)).toThrow(refusal(code));
  });

  it('refuses a source of randomness that answers too little', () => {
    expect(() => split(Uint8Array.of(1, 2), [1, 2], 2, () => new Uint8Array(1))).toThrow(
      refusal('wrong-length'),
    );
  });

  it('refuses to rebuild from shares that cannot be of one secret', () => {
    const share = (point: number, ...value: number[]): Share => ({ point, value: Uint8Array.from(value) });
    const wrong: [string, Share[], number][] = [
      ['too-few-shares', [share(1, 1)], 2],
      ['too-few-shares', [], 1],
      ['repeated-point', [share(1, 1), share(1, 1)], 2],
      ['repeated-point', [share(1, 1), share(2, 1), share(1, 1)], 2],
      ['wrong-point', [share(0, 1), share(1, 1)], 2],
      ['wrong-point', [share(1, 1), share(2, 1), share(256, 1)], 2],
      ['wrong-length', [share(1, 1), share(2, 1, 1)], 2],
      ['wrong-length', [share(1, 1), share(2, 1), share(3, 1, 1)], 2],
      ['wrong-length', [share(1), share(2)], 2],
      ['wrong-threshold', [share(1, 1)], 0],
      ['wrong-threshold', [share(1, 1), share(2, 1)], 1.5],
    ];
    for (const [code, shares, threshold] of wrong)
      expect(() => combine(shares, threshold)).toThrow(refusal(code));
  });

  it('leaves secret and shares as they were, and gives bytes of their own', () => {
    const secret = Uint8Array.of(1, 2, 3, 4, 5);
    const shares = sharesOf([1, 2], split(secret, [1, 2], 1, randomBytes));
    combine(shares, 1).fill(9);
    shares[0]!.value.fill(7);
    expect([...secret]).toEqual([1, 2, 3, 4, 5]);
    expect([...shares[1]!.value]).toEqual([1, 2, 3, 4, 5]);
  });
});
