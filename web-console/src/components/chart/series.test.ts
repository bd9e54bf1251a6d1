import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aligned, csvOf, shareRange, smoothed, type Series } from './series.ts';

const line = (name: string, x: number[], y: (number | null)[]): Series => ({ name, x, y, colour: 'red' });

describe('series of a chart', () => {
  it('stand on the union of their places, with gaps where one has no value', () => {
    expect(aligned([line('a', [1, 3], [10, 30]), line('b', [2, 3], [20, null])])).toEqual([
      [1, 2, 3],
      [10, null, 30],
      [null, 20, null],
    ]);
    expect(aligned([])).toEqual([[]]);
  });

  it('are CSV with quoted names and empty cells for gaps', () => {
    expect(csvOf('round', [line('a "b", c', [1, 2], [0.5, null])])).toBe(
      '"round","a ""b"", c"\r\n1,0.5\r\n2,\r\n',
    );
  });

  it('hand a spreadsheet no formula in the name of a task', () => {
    expect(csvOf('round', [line('=cmd()', [1], [-1])])).toBe('"round","\'=cmd()"\r\n1,-1\r\n');
    for (const sign of ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
      const [first, second] = [`${sign}1: Mean`, `a ${sign} b`].map((name) => line(name, [], []));
      expect(csvOf(`${sign}x`, [first!, second!])).toBe(`"'${sign}x","'${sign}1: Mean","a ${sign} b"\r\n`);
    }
  });
});

describe('smoothing', () => {
  const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 50 });
  const share = fc.double({ min: 0, max: 0.99, noNaN: true });

  it('changes nothing at 0, and keeps gaps', () => {
    expect(smoothed([1, null, 3], 0)).toEqual([1, null, 3]);
    expect(smoothed([1, null, 3], 0.9)[1]).toBeNull();
  });

  it('stays between the least and the greatest value seen, and leaves a constant as it is', () => {
    fc.assert(
      fc.property(values, share, (y, kept) => {
        const result = smoothed(y, kept);
        result.forEach((value, index) => {
          const seen = y.slice(0, index + 1);
          expect(value).toBeGreaterThanOrEqual(Math.min(...seen) - 1e-6);
          expect(value).toBeLessThanOrEqual(Math.max(...seen) + 1e-6);
        });
        smoothed(
          y.map(() => 7),
          kept,
        ).forEach((value) => {
          expect(value).toBeCloseTo(7, 9);
        });
      }),
    );
  });
});

describe('the range of an axis of shares', () => {
  it('is all of it where the lines do not move', () => {
    expect(shareRange(0.5, 0.5)).toEqual([0, 1]);
    expect(shareRange(0, 0)).toEqual([0, 1]);
  });

  it('is the lines with room, and never beyond what a share can be', () => {
    expect(shareRange(0.4, 0.6)).toEqual([expect.closeTo(0.38), expect.closeTo(0.62)]);
    expect(shareRange(0, 1)).toEqual([0, 1]);
  });
});
