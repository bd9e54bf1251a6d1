import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp, log, tanh } from './numeric.ts';

const within = (found: number, wanted: number, relative: number) => {
  if (wanted === 0 || !Number.isFinite(wanted)) expect(found).toBe(wanted);
  else expect(Math.abs(found - wanted) / Math.abs(wanted)).toBeLessThan(relative);
};

describe('exp', () => {
  it('agrees with the engine to 1e-14 over its normal range', () => {
    fc.assert(
      fc.property(fc.double({ min: -708, max: 709.7, noNaN: true }), (x) => {
        within(exp(x), Math.exp(x), 1e-14);
      }),
      { numRuns: 5000 },
    );
  });
  it('ends in infinity, zero and NaN', () => {
    expect([exp(710), exp(-746), exp(NaN), exp(Infinity), exp(-Infinity), exp(0), exp(-0)]).toEqual([
      Infinity,
      0,
      NaN,
      Infinity,
      0,
      1,
      1,
    ]);
  });
  it('fades through subnormal numbers', () => {
    expect(exp(-745)).toBe(Math.exp(-745));
  });
});

describe('log', () => {
  it('agrees with the engine to 1e-14 over all positive numbers', () => {
    fc.assert(
      fc.property(fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true }), (x) => {
        within(log(x), Math.log(x), 1e-14);
      }),
      { numRuns: 5000 },
    );
  });
  it('agrees with the engine to 1e-14 near 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (x) => {
        within(log(x), Math.log(x), 1e-14);
      }),
      { numRuns: 5000 },
    );
  });
  it('is -Infinity at 0 and NaN below', () => {
    expect([log(0), log(-1), log(NaN), log(Infinity), log(1)]).toEqual([-Infinity, NaN, NaN, Infinity, 0]);
  });
});

describe('tanh', () => {
  it('agrees with the engine to 1e-14', () => {
    fc.assert(
      fc.property(fc.double({ min: -25, max: 25, noNaN: true }), (x) => {
        within(tanh(x), Math.tanh(x), 1e-14);
      }),
      { numRuns: 5000 },
    );
  });
  it('agrees with the engine to 1e-14 near 0', () => {
    fc.assert(
      fc.property(fc.double({ min: -0.7, max: 0.7, noNaN: true }), (x) => {
        within(tanh(x), Math.tanh(x), 1e-14);
      }),
      { numRuns: 5000 },
    );
  });
  it('saturates, and passes NaN on', () => {
    expect([tanh(Infinity), tanh(-Infinity), tanh(NaN)]).toEqual([1, -1, NaN]);
  });
});
