import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { pseudoGradient } from '../pseudo-gradient.ts';
import { applyOptimiser, initialState, type OptimiserSettings } from './index.ts';
import { OptimiserError, rateAt } from './optimiser.ts';

const once = { round: 1, rounds: 1 };
const adam: OptimiserSettings = { kind: 'adam', rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** The slow twin: one number at a time, the formulas as printed. */
function twin(settings: OptimiserSettings, start: number, gradients: readonly number[]): number {
  let theta = start;
  let m = 0;
  let v = 0;
  for (const [index, g] of gradients.entries()) {
    const t = index + 1;
    const rate = settings.rate as number;
    if (settings.kind === 'sgd') theta = Math.fround(theta - rate * g);
    else if (settings.kind === 'momentum') {
      v = settings.momentum * v + g;
      theta = Math.fround(theta - rate * v);
    } else {
      m = settings.beta1 * m + (1 - settings.beta1) * g;
      v = settings.beta2 * v + (1 - settings.beta2) * g ** 2;
      const mHat = m / (1 - settings.beta1 ** t);
      const vHat = v / (1 - settings.beta2 ** t);
      theta = Math.fround(theta - (rate * mHat) / (Math.sqrt(vHat) + settings.epsilon));
    }
  }
  return theta;
}

describe('server optimisers', () => {
  it.each([
    { kind: 'sgd', rate: 0.5 },
    { kind: 'momentum', rate: 0.5, momentum: 0.9 },
    adam,
  ] satisfies OptimiserSettings[])('$kind follows its formula over many steps', (settings) => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (gradients) => {
          let parameters = Float32Array.of(1);
          let state = initialState;
          for (const gradient of gradients) {
            const step = applyOptimiser(parameters, Float64Array.of(gradient), state, settings, once);
            parameters = Float32Array.from(step.parameters);
            state = step.state;
          }
          expect(parameters[0]).toBeCloseTo(twin(settings, 1, gradients), 4);
          expect(state.step).toBe(gradients.length);
        },
      ),
    );
  });

  it('take the first step of Adam by the rate, whatever the size of the gradient', () => {
    const { parameters } = applyOptimiser(
      Float32Array.of(0, 0),
      Float64Array.of(1e-3, -50),
      initialState,
      adam,
      once,
    );
    expect(parameters[0]).toBeCloseTo(-0.1, 4);
    expect(parameters[1]).toBeCloseTo(0.1, 4);
  });

  it('remember with momentum: two steps by hand', () => {
    const settings: OptimiserSettings = { kind: 'momentum', rate: 0.5, momentum: 0.5 };
    const first = applyOptimiser(Float32Array.of(1), Float64Array.of(1), initialState, settings, once);
    expect([...first.parameters]).toEqual([0.5]);
    const second = applyOptimiser(first.parameters, Float64Array.of(1), first.state, settings, once);
    expect([...second.parameters]).toEqual([-0.25]);
    expect(second.state).toEqual({ step: 2, slots: { velocity: Float64Array.of(1.5) } });
  });

  it('add the mean update with SGD of rate 1: federated averaging', () => {
    const update = Float64Array.of(0.25, -1);
    const { parameters } = applyOptimiser(
      Float32Array.of(1, 1),
      pseudoGradient(update),
      initialState,
      { kind: 'sgd', rate: 1 },
      once,
    );
    expect([...parameters]).toEqual([1.25, 0]);
  });

  it('move a scheduled rate linearly from the first round to the last', () => {
    const rate = { from: 1, to: 0.1 };
    expect(rateAt(rate, 1, 10)).toBe(1);
    expect(rateAt(rate, 10, 10)).toBeCloseTo(0.1, 12);
    expect(rateAt(rate, 4, 10)).toBeCloseTo(0.7, 12);
    expect(rateAt(rate, 1, 1)).toBe(1);
    expect(rateAt(0.3, 5, 10)).toBe(0.3);
  });

  it('refuse a gradient that does not fit, and change nothing', () => {
    const parameters = Float32Array.of(1, 2);
    const state = {
      step: 1,
      slots: { 'first-moment': Float64Array.of(1), 'second-moment': Float64Array.of(1) },
    };
    expect(() => applyOptimiser(parameters, Float64Array.of(1), initialState, adam, once)).toThrow(
      OptimiserError,
    );
    expect(() =>
      applyOptimiser(parameters, Float64Array.of(1, Number.NaN), initialState, adam, once),
    ).toThrow(OptimiserError);
    expect(() => applyOptimiser(parameters, Float64Array.of(1, 1), state, adam, once)).toThrow(
      /first-moment/,
    );
    expect([...parameters]).toEqual([1, 2]);
  });
});
