import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { HistogramError, histogramOf, meanOfLowest, quantile } from './histogram.ts';

describe('a histogram over devices', () => {
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
  const sum = (list: readonly number[]) =>
    list.reduce(
      (bins, value) => bins.map((count, index) => count + histogramOf(value)[index]!),
      new Float64Array(100),
    );

  it('gives the mean of the worst tenth within half a bin', () => {
    fc.assert(
      fc.property(shares, (list) => {
        const worst = [...list].sort((a, b) => a - b).slice(0, Math.max(1, Math.round(list.length / 10)));
        const exact = worst.reduce((total, value) => total + value, 0) / worst.length;
        expect(Math.abs(meanOfLowest(sum(list), 0.1) - exact)).toBeLessThanOrEqual(0.005 + 1e-9);
      }),
    );
  });

  it('gives quantiles within half a bin', () => {
    fc.assert(
      fc.property(shares, fc.constantFrom(0.1, 0.5, 0.9), (list, q) => {
        const exact = [...list].sort((a, b) => a - b)[Math.max(1, Math.ceil(q * list.length)) - 1]!;
        expect(Math.abs(quantile(sum(list), q) - exact)).toBeLessThanOrEqual(0.005 + 1e-9);
      }),
    );
  });

  it('counts every device in one bin, and refuses what is no share', () => {
    expect(histogramOf(1)[99]).toBe(1);
    expect(histogramOf(0)[0]).toBe(1);
    expect([...histogramOf(0.5, 4)]).toEqual([0, 0, 1, 0]);
    for (const value of [-0.01, 1.01, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => histogramOf(value)).toThrow(HistogramError);
    }
  });

  it('has no figure when nobody contributed', () => {
    expect(quantile(new Float64Array(100), 0.5)).toBeNaN();
    expect(meanOfLowest(new Float64Array(100), 0.1)).toBeNaN();
  });
});
