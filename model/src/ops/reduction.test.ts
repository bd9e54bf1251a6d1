import { describe, expect, it } from 'vitest';
import { at, bound, compute, expectEach, rows, tabulate } from './testing/lowered.ts';

const x = rows('x', 2, 3, 4, 5);
const kinds: Record<string, (values: readonly number[]) => number> = {
  sum: (values) => values.reduce((a, b) => a + b),
  mean: (values) => values.reduce((a, b) => a + b) / values.length,
  max: (values) => Math.max(...values),
};

describe.each(Object.keys(kinds))('reduce by %s', (kind) => {
  it.each([[[1]], [[2]], [[3]], [[1, 2]], [[2, 3]], [[3, 1]], [[1, 2, 3]]])('over axes %j', (axes) => {
    const lengths = x.shape.map((length, axis) => (axes.includes(axis) ? length : 1));
    const kept = compute('reduce', { kind, axes, keep: true }, [x]);
    expect(kept.shape).toEqual(x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)));
    expectEach(kept, (...index) =>
      kinds[kind](tabulate(lengths, (...offset) => at(x, ...index.map((i, axis) => i + offset[axis])))),
    );
    const found = compute('reduce', { kind, axes }, [x]);
    expect(found.shape).toEqual(x.shape.filter((_, axis) => !axes.includes(axis)));
    expect(found.values).toEqual(kept.values);
  });
});

describe('reduce', () => {
  it('writes axes in order, so that equal models are equal', () => {
    expect(bound('reduce', { kind: 'sum', axes: [3, 1] }).attributes).toEqual({
      kind: 'sum',
      axes: [1, 3],
      keep: false,
    });
  });

  it.each([[[]], [[1, 1]]])('refuses the axes %j', (axes) => {
    expect(() => bound('reduce', { kind: 'sum', axes })).toThrow(/attrs.axes: expected one or more axes/);
  });

  it('refuses an axis that is not there', () => {
    expect(() => bound('reduce', { kind: 'sum', axes: [3] }).infer([['B', 3, 4]])).toThrow(
      /x \[B, 3, 4\] has no axis 3/,
    );
  });
});
