import { describe, expect, it } from 'vitest';
import { startingPlan } from '../../../components/plan/settings.ts';
import { forecastOf } from './forecast.ts';

const estimate = {
  parameters: 10,
  bytesDown: 40,
  bytesUp: 100,
  rounds: 20,
  updates: 200,
  devices: 50,
  online: 20,
};

describe('the forecast of a task', () => {
  it('counts every device that is asked, in every round', () => {
    expect(forecastOf(startingPlan('fedavg'), estimate, 1000)).toEqual({
      evaluations: 0,
      participations: 20 * 13,
      bytesDown: 20 * 13 * 40,
      bytesUp: 20 * 13 * 100,
      deviceMs: 20 * 13 * 1000,
      leastMs: 20_000,
      mostMs: 20 * (600_000 + 300_000 + 120_000),
    });
  });

  it('counts rounds of judging, which send no update', () => {
    const plan = { ...startingPlan('fedavg'), evaluation: { everyRounds: 6, spec: { goal: 4 } } };
    const { evaluations, participations, bytesUp, leastMs } = forecastOf(plan, estimate, 1000);
    expect(evaluations).toBe(3);
    expect(participations).toBe(20 * 13 + 3 * 4);
    expect(bytesUp).toBe(20 * 13 * 100);
    expect(leastMs).toBe(23_000);
  });
});
