import fc from 'fast-check';
import { expect, it } from 'vitest';
import { levelsOf } from './bodies.ts';

it('counts the levels of any JSON, whatever its strings hold', () => {
  const levels = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levels)) : 0;
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), (value) => {
      expect(levelsOf(JSON.stringify(value))).toBe(levels(value));
    }),
  );
  expect(levelsOf('["\\"[[[", {"[{\\\\": []}]')).toBe(3);
  expect(levelsOf('['.repeat(100_000))).toBe(100_000);
});
