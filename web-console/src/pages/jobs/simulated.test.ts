import { describe, expect, it } from 'vitest';
import { simulatedOf } from './simulated.ts';

const training = { devices: 5, rows: 10, accuracyBefore: 0.4, accuracyAfter: 0.6 };
const round = (sequence: number, changes: object) => ({
  ...{ sequence, number: sequence, outcome: 'published', endMs: 1000 * sequence, counted: 5, bytesUp: 70 },
  ...changes,
});
const report = {
  outcome: 'completed',
  devices: 9,
  rounds: [
    round(1, { kind: 'statistics', metrics: { devices: 5, rows: 10 } }),
    round(2, { kind: 'training', metrics: training }),
    round(3, { kind: 'training', outcome: 'too-few-devices', metrics: null }),
    round(4, { kind: 'evaluation', metrics: { devices: 4, results: [{ steps: 1, accuracy: 0.5 }] } }),
  ],
  forecast: {
    virtualMs: 4000,
    deviceMs: 90,
    bytesDown: 1,
    bytesUp: 2,
    counted: 14,
    rounds: { abandoned: 1 },
  },
};

describe('the report of a simulation', () => {
  it('gives curves of its published rounds in virtual time, and what they took', () => {
    const found = simulatedOf(report);
    expect(found).toMatchObject({ completed: true, virtualMs: 4000, counted: 14, abandoned: 1, devices: 9 });
    expect(found?.curves.points.map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [2, 'training'],
      [4, 'evaluation'],
    ]);
    const [first, second] = found?.curves.points ?? [];
    expect(first).toMatchObject({ training, evaluation: null, endedAt: '1970-01-01T00:00:02.000Z' });
    expect(second).toMatchObject({ training: null, evaluation: [{ steps: 1, accuracy: 0.5 }] });
  });

  it('is none for what other jobs measured', () => {
    expect(simulatedOf(null)).toBeUndefined();
    expect(simulatedOf({ people: 3, results: [] })).toBeUndefined();
  });
});
