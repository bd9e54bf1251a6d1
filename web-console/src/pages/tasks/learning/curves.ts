import type { EvaluationResult } from '@starling/protocol';
import type { CurvePoint, Curves } from '@starling/protocol/api';

/** What a curve runs along: training rounds, minutes since the task's first round, or bytes of updates received. */
export const axes = ['round', 'time', 'bytes'] as const;
export type Axis = (typeof axes)[number];
export const measures = ['accuracy', 'loss'] as const;
export type Measure = (typeof measures)[number];

/** Which results of a round of judging are drawn: after so many steps on this share of the local data. */
export interface Judged {
  readonly steps: number;
  readonly supportShare: number;
}

type Values = (number | null)[];

export interface TrainingCurve {
  readonly x: number[];
  readonly before: Values;
  readonly after: Values;
}

export interface EvaluationCurve extends TrainingCurve {
  /** Accuracy that a tenth, half and nine tenths of the devices stay below; the mean of the worst tenth. */
  readonly low: Values;
  readonly high: Values;
  readonly worst: Values;
}

/** The place of every point of the curves on an axis. */
export function placesOf({ startedAt, points }: Curves, axis: Axis): number[] {
  const start = Date.parse(startedAt ?? points[0]?.endedAt ?? '');
  let bytes = 0;
  return points.map((point) => {
    bytes += point.bytesUp;
    if (axis === 'round') return point.number;
    return axis === 'bytes' ? bytes : (Date.parse(point.endedAt) - start) / 60_000;
  });
}

/** What devices measured on their own data in training rounds, before and after they learnt. */
export function trainingCurve(curves: Curves, axis: Axis, measure: Measure): TrainingCurve {
  const places = placesOf(curves, axis);
  const taken = curves.points.flatMap(({ training }, index) =>
    training ? [{ x: places[index] ?? 0, training }] : [],
  );
  const of = (when: 'Before' | 'After') => taken.map(({ training }) => training[`${measure}${when}`]);
  return { x: taken.map(({ x }) => x), before: of('Before'), after: of('After') };
}

/** What the evaluation rounds that judged this measured, before adaptation and after. */
export function evaluationCurve(
  curves: Curves,
  axis: Axis,
  measure: Measure,
  { steps, supportShare }: Judged,
): EvaluationCurve {
  const places = placesOf(curves, axis);
  const taken = curves.points.flatMap(({ evaluation }, index) => {
    if (!evaluation) return [];
    const result = (wanted: number) =>
      evaluation.find((each) => each.steps === wanted && each.supportShare === supportShare);
    const after = result(steps);
    return after ? [{ x: places[index] ?? 0, before: result(0), after }] : [];
  });
  // only accuracies are counted in bins: a loss has no spread here
  const spread = (read: (result: EvaluationResult) => number | undefined): Values =>
    taken.map(({ after }) => (measure === 'accuracy' ? (read(after) ?? null) : null));
  return {
    x: taken.map(({ x }) => x),
    before: taken.map(({ before }) => before?.[measure] ?? null),
    after: taken.map(({ after }) => after[measure]),
    low: spread(({ deciles }) => deciles[0]),
    high: spread(({ deciles }) => deciles[8]),
    worst: spread(({ worstDecile }) => worstDecile),
  };
}

/** Everything that rounds of judging reported, the most data and the most steps first; 0 steps is before adaptation. */
export function judgedOf({ points }: Curves): Judged[] {
  const found = new Map<string, Judged>();
  for (const { evaluation } of points) {
    for (const { steps, supportShare } of evaluation ?? []) {
      if (steps > 0) found.set(`${supportShare} ${steps}`, { steps, supportShare });
    }
  }
  return [...found.values()].sort((a, b) => b.supportShare - a.supportShare || b.steps - a.steps);
}

/** One evaluation round as a column of the spread: accuracies that 10, 20, … 90 % of the devices stay below. */
export interface Spread {
  readonly round: CurvePoint['round'];
  readonly number: number;
  readonly devices: number;
  readonly mean: number;
  readonly worst: number;
  readonly deciles: readonly number[];
}

/** The spread over devices in the evaluation rounds that judged this. */
export function spreadOf({ points }: Curves, { steps, supportShare }: Judged): Spread[] {
  return points.flatMap(({ round, number, devices, evaluation }) => {
    const result = evaluation?.find((each) => each.steps === steps && each.supportShare === supportShare);
    if (!result) return [];
    const { accuracy: mean, worstDecile: worst, deciles } = result;
    return [{ round, number, devices, mean, worst, deciles }];
  });
}

/** At most so many of all, evenly taken, the first and the last among them. */
export function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from(
    { length: most },
    (_, index) => all[Math.round((index * (all.length - 1)) / (most - 1))]!,
  );
}
