import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { erf, exp, log, sigmoid, softplus, tanh } from './numeric.ts';
import { erf as series } from './testing/reference.ts';

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

describe('sigmoid', () => {
  it('agrees with the engine to 1e-13', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
        within(sigmoid(x), 1 / (1 + Math.exp(-x)), 1e-13);
      }),
      { numRuns: 5000 },
    );
  });
  it('saturates, and passes NaN on', () => {
    expect([sigmoid(Infinity), sigmoid(-Infinity), sigmoid(NaN), sigmoid(0)]).toEqual([1, 0, NaN, 0.5]);
  });
});

describe('softplus', () => {
  it('agrees with the engine to 1e-13, where it is small too', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
        within(softplus(x), Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), 1e-13);
      }),
      { numRuns: 5000 },
    );
  });
  it('is linear far above 0, 0 far below, and passes NaN on', () => {
    expect([1e10, -1e10, Infinity, -Infinity, NaN].map(softplus)).toEqual([1e10, 0, Infinity, 0, NaN]);
  });
});

describe('erf', () => {
  it.each([
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.5, 0.9661051464753108],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4.5, 0.9999999998033839],
  ])('of %d agrees with the tables', (x, wanted) => {
    within(erf(x), wanted, 1e-15);
    within(erf(-x), -wanted, 1e-15);
  });
  it('agrees with its series to 1e-14', () => {
    fc.assert(
      fc.property(fc.double({ min: -6.5, max: 6.5, noNaN: true }), (x) => {
        within(erf(x), series(x), 1e-14);
      }),
      { numRuns: 5000 },
    );
  });
  it('keeps its relative error near 0', () => {
    for (const x of [1e-300, 1e-20, -1e-8, 1e-3, 0.124999]) within(erf(x), series(x), 1e-15);
  });
  it('saturates, and passes NaN on', () => {
    expect([erf(Infinity), erf(-Infinity), erf(NaN), erf(0)]).toEqual([1, -1, NaN, 0]);
  });
});
