import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox4x32 } from './philox.ts';
import { fnv1a64, stream } from './streams.ts';

describe('stream', () => {
  it('walks the blocks of Philox under the hash of its name', () => {
    const [low, high] = fnv1a64('init/hidden/w');
    const drawn = stream(2 ** 32 * 5 + 7, 'init/hidden/w');
    const found = Array.from({ length: 8 }, () => drawn.nextUint32());
    const block = (index: number) => {
      const out = new Uint32Array(4);
      philox4x32(out, Uint32Array.of(index, 0, low, high), Uint32Array.of(7, 5));
      return [...out];
    };
    expect(found).toEqual([...block(0), ...block(1)]);
  });

  it('depends on seed and name', () => {
    const first = (seed: number, name: string) => stream(seed, name).nextUint32();
    expect(new Set([first(1, 'a'), first(2, 'a'), first(1, 'b'), first(1 + 2 ** 32, 'a')]).size).toBe(4);
  });

  it('draws floats from 0 to below 1 with the mean of a uniform number', () => {
    const random = stream(3, 'floats');
    const draws = Array.from({ length: 4000 }, () => random.nextFloat());
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(draws.reduce((sum, draw) => sum + draw) / 4000).toBeCloseTo(0.5, 1);
  });

  it('draws every integer below n about equally often', () => {
    const random = stream(4, 'below');
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 7000; i++) counts[random.below(7)] += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('shuffles without losing an element, and differently under another seed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (elements, seed) => {
        const shuffled = [...elements];
        stream(seed, 'shuffle').shuffle(shuffled);
        expect([...shuffled].sort()).toEqual([...elements].sort());
      }),
    );
    const order = (seed: number) => {
      const places = Int32Array.from({ length: 20 }, (_, i) => i);
      stream(seed, 'shuffle').shuffle(places);
      return places.join();
    };
    expect(order(1)).not.toBe(order(2));
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => stream(seed, 'x')).toThrow(RangeError);
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1])('refuses to draw below %s', (n) => {
    expect(() => stream(0, 'x').below(n)).toThrow(RangeError);
  });
});

describe('fnv1a64', () => {
  // Vectors of the authors of FNV.
  it.each([
    ['', 0xcbf29ce484222325n],
    ['a', 0xaf63dc4c8601ec8cn],
    ['foobar', 0x85944171f73967e8n],
  ])('hashes %j to the published value', (text, hash) => {
    const [low, high] = fnv1a64(text);
    expect((BigInt(high) << 32n) | BigInt(low)).toBe(hash);
  });

  it('hashes the bytes of UTF-8', () => {
    const reference = (bytes: number[]) =>
      bytes.reduce(
        (hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n),
        0xcbf29ce484222325n,
      );
    const [low, high] = fnv1a64('é€😀');
    const bytes = [0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80];
    expect((BigInt(high) << 32n) | BigInt(low)).toBe(reference(bytes));
  });
});
