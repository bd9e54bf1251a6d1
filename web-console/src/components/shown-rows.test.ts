import { describe, expect, it } from 'vitest';
import { shownRows } from './shown-rows.ts';

describe('the rows of a long table that are drawn', () => {
  it('hold all that are in view, wherever one has scrolled to, and few beside', () => {
    for (let top = 0; top <= 1000 - 8; top += 0.5) {
      const { first, end } = shownRows(1000, top, 8);
      expect(first).toBeLessThanOrEqual(top);
      expect(end).toBeGreaterThanOrEqual(Math.min(1000, Math.ceil(top + 8)));
      expect(end - first).toBeLessThanOrEqual(8 + 4 * 12);
    }
  });

  it('are all of a short one', () => {
    expect(shownRows(5, 0, 8)).toEqual({ first: 0, end: 5 });
    expect(shownRows(0, 0, 8)).toEqual({ first: 0, end: 0 });
  });

  it('stay in the table when it became shorter than where one had scrolled to', () => {
    const { first, end } = shownRows(10, 500, 8);
    expect([first, end]).toEqual([10, 10]);
  });
});
