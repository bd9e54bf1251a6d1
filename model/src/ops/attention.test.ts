import { describe, expect, it } from 'vitest';
import { at, bound, compute, expectEach, rows, sum, weights } from './testing/lowered.ts';

const [q, k, v] = [rows('q', 2, 3, 4), rows('k', 2, 5, 4), rows('v', 2, 5, 4)];

describe('attention', () => {
  it.each([
    [1, false],
    [2, false],
    [2, true],
    [4, true],
  ])('mixes values by %i heads, causal: %s', (heads, causal) => {
    const part = 4 / heads;
    expectEach(compute('attention', { heads, causal }, [q, k, v]), (n, t, d) => {
      const first = Math.floor(d / part) * part;
      const score = (s: number) =>
        sum(part, (i) => at(q, n, t, first + i) * at(k, n, s, first + i)) / Math.sqrt(part);
      const seen = Array.from({ length: 5 }, (_, s) => s).filter((s) => !causal || s <= t + 2);
      const total = sum(seen.length, (i) => Math.exp(score(seen[i])));
      return sum(seen.length, (i) => (Math.exp(score(seen[i])) / total) * at(v, n, seen[i], d));
    });
  });

  it.each([
    ['heads that do not part the depth', { heads: 3 }, [5, 4], [5, 4], /axis 4 cannot be parted into 3/],
    ['keys of another depth', {}, [5, 3], [5, 4], /last axis of k \[B, 5, 3\] is 3; expected 4/],
    ['fewer values than keys', {}, [5, 4], [4, 4], /steps of v \[B, 4, 4\] is 4; expected 5/],
    [
      'queries that see nothing',
      { causal: true },
      [2, 4],
      [2, 4],
      /first of 3 queries would see none of 2 keys/,
    ],
  ])('refuses %s', (_, attributes, keys, values, message) => {
    expect(() =>
      bound('attention', attributes).infer([
        ['B', 3, 4],
        ['B', ...keys],
        ['B', ...values],
      ]),
    ).toThrow(message);
  });

  it('counts the weights of every head', () => {
    const { values } = bound('attention', { heads: 2 }).cost!(
      [
        ['B', 100, 4],
        ['B', 200, 4],
        ['B', 200, 4],
      ],
      ['B', 100, 4],
    );
    expect(values).toBeGreaterThanOrEqual(2 * 100 * 200);
  });
});

describe('embedding', () => {
  it('looks up a row for each id', () => {
    const table = weights('table', 6, 3);
    const ids = { batch: true, shape: [2, 4], values: [0, 5, 2, 2, 1, 0, 4, 3] };
    const found = compute('embedding', {}, [ids, table]);
    expect(found.shape).toEqual([2, 4, 3]);
    expectEach(found, (n, t, d) => at(table, at(ids, n, t), d));
  });
});
