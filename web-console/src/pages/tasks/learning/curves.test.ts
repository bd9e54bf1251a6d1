import { describe, expect, it } from 'vitest';
import type { CurvePoint, Curves } from '@starling/protocol/api';
import { evaluationCurve, evenly, judgedOf, placesOf, spreadOf, trainingCurve } from './curves.ts';

const point = (sequence: number, rest: Partial<CurvePoint>): CurvePoint => ({
  round: `rnd_${sequence}` as CurvePoint['round'], // the server gives ids of this kind
  sequence,
  kind: 'training',
  number: sequence,
  endedAt: new Date(Date.UTC(2026, 0, 1, 0, sequence)).toISOString(),
  devices: 3,
  bytesUp: 100,
  training: null,
  evaluation: null,
  ...rest,
});
const training = (accuracyBefore: number, accuracyAfter: number) => ({
  devices: 3,
  weight: 3,
  updateNorm: 1,
  lossBefore: 2,
  lossAfter: 1,
  accuracyBefore,
  accuracyAfter,
});
const result = (steps: number, accuracy: number) => ({
  supportShare: 0.5,
  steps,
  accuracy,
  loss: 1 - accuracy,
  worstDecile: accuracy - 0.3,
  deciles: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth) => accuracy - 0.25 + tenth / 20),
});
const curves: Curves = {
  startedAt: '2026-01-01T00:00:00.000Z',
  points: [
    point(1, { training: training(0.2, 0.4) }),
    point(2, {
      kind: 'evaluation',
      number: 1,
      bytesUp: 5,
      evaluation: [result(0, 0.3), result(1, 0.5), result(5, 0.6)],
    }),
    point(3, { number: 2, training: training(0.4, 0.6) }),
  ],
};

describe('learning curves', () => {
  it('run along rounds, minutes since the first round opened, or bytes so far', () => {
    expect(placesOf(curves, 'round')).toEqual([1, 1, 2]);
    expect(placesOf(curves, 'time')).toEqual([1, 2, 3]);
    expect(placesOf(curves, 'bytes')).toEqual([100, 105, 205]);
  });

  it('show training rounds before and after, and nothing of others', () => {
    expect(trainingCurve(curves, 'round', 'accuracy')).toEqual({
      x: [1, 2],
      before: [0.2, 0.4],
      after: [0.4, 0.6],
    });
    expect(trainingCurve(curves, 'bytes', 'loss')).toEqual({ x: [100, 205], before: [2, 2], after: [1, 1] });
  });

  it('show evaluation rounds after the steps that were chosen, with their spread', () => {
    const judged = { steps: 5, supportShare: 0.5 };
    const curve = evaluationCurve(curves, 'round', 'accuracy', judged);
    expect(curve).toMatchObject({ x: [1], before: [0.3], after: [0.6], worst: [0.3] });
    expect(curve.low[0]).toBeCloseTo(0.4);
    expect(curve.high[0]).toBeCloseTo(0.8);
    expect(evaluationCurve(curves, 'round', 'loss', judged)).toMatchObject({ after: [0.4], low: [null] });
    expect(evaluationCurve(curves, 'round', 'accuracy', { steps: 9, supportShare: 0.5 })).toMatchObject({
      x: [],
      after: [],
    });
  });

  it('name what was judged, the most steps first, without that before adaptation', () => {
    expect(judgedOf(curves)).toEqual([
      { steps: 5, supportShare: 0.5 },
      { steps: 1, supportShare: 0.5 },
    ]);
    expect(judgedOf({ startedAt: null, points: [] })).toEqual([]);
  });
});

describe('the spread over devices', () => {
  const long: Curves = {
    startedAt: null,
    points: Array.from({ length: 1000 }, (_, index) =>
      point(index, { kind: 'evaluation', number: index, evaluation: [result(1, 0.5)] }),
    ),
  };

  it('keeps the first and the last round where there are more than fit', () => {
    const spread = evenly(spreadOf(long, { steps: 1, supportShare: 0.5 }), 40);
    expect(spread).toHaveLength(40);
    expect(spread[0]?.number).toBe(0);
    expect(spread.at(-1)?.number).toBe(999);
    expect(new Set(spread.map(({ number }) => number)).size).toBe(40);
  });

  it('has a column only for rounds that judged this', () => {
    expect(spreadOf(curves, { steps: 1, supportShare: 0.5 })).toMatchObject([{ number: 1, mean: 0.5 }]);
    expect(spreadOf(curves, { steps: 2, supportShare: 0.5 })).toEqual([]);
  });
});
