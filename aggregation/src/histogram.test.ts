import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { spreadBin, spreadBins } from '@starling/protocol';
import { meanOfLowest, quantile } from './histogram.ts';

describe('a histogram over devices', () => {
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
  const sum = (list: readonly number[]) => {
    const bins = new Float64Array(spreadBins);
    for (const value of list) bins[spreadBin(value)]! += 1;
    return bins;
  };

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

  it('has no figure when nobody contributed', () => {
    expect(quantile(new Float64Array(100), 0.5)).toBeNaN();
    expect(meanOfLowest(new Float64Array(100), 0.1)).toBeNaN();
  });
});
