import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, type FixedPointBlock } from '@starling/secure';
import { javaScriptFolding } from './javascript.ts';
import { wasmFoldingIfAny } from './wasm.ts';

const wasm = wasmFoldingIfAny();
if (!wasm) throw new Error('These tests need WebAssembly with vectors.');
const foldings = [javaScriptFolding, wasm];

const block = (size: number, scaleBits: number): FixedPointBlock => ({
  ...{ name: 'parameters', size, scaleBits, clip: 64, weighted: true, limbs: 1 },
});
const value = fc.oneof(
  fc.float({ min: -64, max: 64, noNaN: true }),
  fc.integer({ min: -200, max: 200 }).map((halves) => halves / 2 ** 9), // on the halves of a coarse grid
  fc.constantFrom(0, -0, 2 ** -149, -(2 ** -149), 64, -64, 0.49999997, -0.49999997),
);

describe.each(foldings)('folding by $name', (folding) => {
  it('adds the integers of the fixed point, whatever the values, scale and weight', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            values: fc.array(value, { minLength: 9, maxLength: 9 }),
            weight: fc.integer({ min: 1, max: 4096 }),
          }),
          { maxLength: 9 },
        ),
        fc.integer({ min: 1, max: 30 }),
        (drawn, scaleBits) => {
          const vectors = drawn.map(({ values, weight }) => ({ values: Float32Array.from(values), weight }));
          const lanes = new Float64Array(9);
          expect(folding.add(lanes, vectors, { scaleBits, clip: 64 })).toBe(true);
          const wanted = new Float64Array(9);
          for (const { values, weight } of vectors) {
            for (const [index, integer] of encode(values, block(9, scaleBits)).entries()) {
              wanted[index]! += weight * integer;
            }
          }
          expect(lanes.map((lane) => lane + 0)).toEqual(wanted.map((lane) => lane + 0));
        },
      ),
    );
  });

  it('goes over all tiles, and no further', () => {
    for (const size of [0, 1, 16_383, 16_384, 16_385, 40_001]) {
      const values = Float32Array.from({ length: size }, (_, index) => (index % 100) - 50);
      const lanes = new Float64Array(size);
      folding.add(
        lanes,
        [
          { values, weight: 2 },
          { values, weight: 1 },
        ],
        { scaleBits: 1, clip: 64 },
      );
      expect(lanes).toEqual(Float64Array.from(values, (one) => 6 * one + 0));
    }
  });

  it.each([Number.NaN, Infinity, -Infinity, 0.1 + 2 ** -20, -1])(
    'finds %d outside the range, wherever it is',
    (bad) => {
      for (const place of [0, 3, 16_383, 16_384, 32_766]) {
        const values = new Float32Array(32_767).fill(0.0999);
        expect(folding.isWithin(values, 0.1)).toBe(true);
        values[place] = bad;
        expect(folding.isWithin(values, 0.1)).toBe(false);
      }
    },
  );

  it.each([0, 2, 3, 5])('adds nothing where one of several is out of range, were it vector %d', (which) => {
    for (const place of [0, 16_383, 16_384, 20_000]) {
      const lanes = Float64Array.from({ length: 20_001 }, (_, index) => index);
      const vectors = [0.5, -0.25, 0.125, 1, 2, -3].map((value) => ({
        values: new Float32Array(20_001).fill(value),
        weight: 3,
      }));
      for (const bad of [Number.NaN, Infinity, 64.5]) {
        vectors[which]!.values[place] = bad;
        expect(folding.add(lanes, vectors, { scaleBits: 10, clip: 64 })).toBe(false);
        expect(lanes).toEqual(Float64Array.from({ length: 20_001 }, (_, index) => index));
      }
    }
  });

  it('takes a magnitude for within the clip exactly where float64 does', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true }),
        fc.double({ min: 2 ** -100, max: 2 ** 30, noNaN: true }),
        (one, clip) => {
          expect(folding.isWithin(Float32Array.of(one), clip)).toBe(Math.abs(one) <= clip);
          const near = Math.fround(clip);
          expect(folding.isWithin(Float32Array.of(near), clip)).toBe(near <= clip);
        },
      ),
    );
  });
});
