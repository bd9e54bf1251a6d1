import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import { cnn, mlp } from '../testing/models.ts';
import { initialise } from './initialise.ts';
import { layoutOf } from './layout.ts';
import { setStatistics, StatisticsMismatch } from './statistics.ts';

const model = parseModel(mlp(5, 4, 3));

describe('layoutOf', () => {
  it('puts weights first and statistics last, without gaps', () => {
    const layout = layoutOf(model);
    expect(layout.entries.map(({ name, role, offset, size }) => [name, role, offset, size])).toEqual([
      ['hidden/w', 'weight', 0, 20],
      ['hidden/b', 'weight', 20, 4],
      ['output/w', 'weight', 24, 12],
      ['output/b', 'weight', 36, 3],
      ['input/mean', 'statistic', 39, 5],
      ['input/inverse-sd', 'statistic', 44, 5],
    ]);
    expect(layout.learnable).toEqual({ offset: 0, size: 39 });
    expect([layout.rates.size, layout.size]).toEqual([0, 49]);
  });

  it('puts a rate for each weight between weights and statistics', () => {
    const layout = layoutOf(model, { learnedRates: true });
    expect(layout.rates).toEqual({ offset: 39, size: 39 });
    expect(layout.learnable.size).toBe(78);
    expect(layout.statistics).toEqual({ offset: 78, size: 10 });
    expect(layout.entries[5]).toMatchObject({
      name: 'rate/hidden/b',
      role: 'rate',
      offset: 59,
      group: 'body',
    });
  });
});

describe('initialise', () => {
  it('gives the same values for the same seed, and others for another', () => {
    expect(initialise(model, 7)).toEqual(initialise(model, 7));
    expect(initialise(model, 7).values).not.toEqual(initialise(model, 8).values);
  });

  it('keeps each uniform draw within its bound and uses all of it', () => {
    const { values } = initialise(parseModel(mlp(50, 40, 3)), 1);
    const hidden = values.subarray(0, 2000);
    const bound = 1 / Math.sqrt(50);
    expect(Math.max(...hidden)).toBeLessThan(bound);
    expect(Math.max(...hidden)).toBeGreaterThan(0.98 * bound);
    expect(Math.min(...hidden)).toBeLessThan(-0.98 * bound);
  });

  it.each([
    ['glorotUniform', Math.sqrt(6 / (3 * 3 + 3 * 4))],
    ['heUniform', Math.sqrt(6 / (3 * 3))],
  ])('counts the places of a convolution for %s', (kind, bound) => {
    const ir = cnn(16, 3, 4);
    ir.params[0].init = { kind };
    const { values } = initialise(parseModel(ir), 1);
    const largest = Math.max(...values.subarray(0, 36).map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.85 * bound);
  });

  it('draws from the normal distribution, whose moments and tails it has', () => {
    const ir = mlp(50, 41, 3);
    ir.params[2].init = { kind: 'normal', deviation: 0.5 };
    const drawn = [...initialise(parseModel(ir), 1).values.subarray(0, 50 * 41)].map((value) => value / 0.5);
    const moment = (power: number) => drawn.reduce((sum, z) => sum + z ** power, 0) / drawn.length;
    const beyond = (bound: number) => drawn.filter((z) => Math.abs(z) > bound).length / drawn.length;
    // within four standard errors of 2050 independent draws
    expect(Math.abs(moment(1))).toBeLessThan(0.09);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.125);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.87);
    expect(Math.abs(beyond(1) - 0.3173)).toBeLessThan(0.042);
    expect(Math.abs(beyond(2) - 0.0455)).toBeLessThan(0.019);
    expect(new Set(drawn).size).toBeGreaterThan(2000);
  });

  it('starts the other kinds, rates and statistics as they say', () => {
    const ir = mlp(5, 4, 3);
    ir.params[3].init = { kind: 'constant', value: 2.5 };
    ir.params[5].init = { kind: 'ones' };
    const { layout, values } = initialise(parseModel(ir), 1, { learnedRates: 0.25 });
    expect([...values.subarray(20, 24)]).toEqual([2.5, 2.5, 2.5, 2.5]);
    expect([...values.subarray(36, 39)]).toEqual([1, 1, 1]);
    expect(new Set(values.subarray(39, 78))).toEqual(new Set([0.25]));
    expect([...values.subarray(layout.statistics.offset)]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  });
});

describe('setStatistics', () => {
  it('writes means and inverse deviations, and leaves a constant channel unscaled', () => {
    const params = initialise(model, 1);
    const mean = Float64Array.of(1, 2, 3, 4, 5);
    const meanOfSquares = Float64Array.of(1 + 4, 4 + 0.25, 9, 16 + 1e-14, 25 + 1);
    setStatistics(params, { mean, meanOfSquares });
    expect([...params.values.subarray(39)]).toEqual([1, 2, 3, 4, 5, 0.5, 2, 1, 1, 1]);
  });

  it('refuses moments of another number of channels, and a model without statistics', () => {
    const moments = { mean: new Float64Array(4), meanOfSquares: new Float64Array(4) };
    expect(() => {
      setStatistics(initialise(model, 1), moments);
    }).toThrow(StatisticsMismatch);
    expect(() => {
      setStatistics(initialise(parseModel(cnn(16, 3, 4)), 1), moments);
    }).toThrow(/keeps no statistics/);
  });
});
