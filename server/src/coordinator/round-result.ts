import {
  applyOptimiser,
  initialState,
  meanOfLowest,
  pseudoGradient,
  quantile,
  type OptimiserState,
  type WeightedSum,
} from '@starling/aggregation';
import { setStatistics, type Params } from '@starling/model';
import {
  evaluationPoints,
  evaluationWidth,
  spreadBins,
  type EvaluationMetrics,
  type EvaluationSpec,
  type Plan,
  type Round,
  type RoundKind,
  type TrainingMetrics,
} from '@starling/protocol';

/** What a round starts from. */
export interface RoundStart {
  readonly kind: RoundKind;
  readonly number: number;
  readonly evaluation: EvaluationSpec | null;
  readonly plan: Pick<Plan, 'optimiser' | 'rounds'>;
  readonly params: Params;
  readonly optimiser: OptimiserState | undefined;
}

/** What a round comes to. */
export interface RoundResult {
  readonly metrics: NonNullable<Round['metrics']>;
  /** New shared values, or `undefined` for a round that judges only. */
  readonly values: Float32Array | undefined;
  readonly optimiser: OptimiserState | undefined;
}

/**
 * The result of a round from the exact sum of its contributions: statistics, the server optimiser's step, or what was judged.
 * A pure function; the start is not changed. `undefined` where a value is not finite.
 */
export function resultOf(start: RoundStart, sum: WeightedSum): RoundResult | undefined {
  const { layout } = start.params;
  switch (start.kind) {
    case 'evaluation':
      return { metrics: evaluationMetrics(start.evaluation, sum), values: undefined, optimiser: undefined };
    case 'statistics': {
      const values = start.params.values.slice();
      const moments = sum.mean('moments');
      const channels = moments.length / 2;
      setStatistics(
        { layout, values },
        { mean: moments.slice(0, channels), meanOfSquares: moments.slice(channels) },
      );
      const metrics = { devices: sum.count, rows: sum.totalWeight };
      return values.every(Number.isFinite) ? { metrics, values, optimiser: start.optimiser } : undefined;
    }
    case 'training': {
      const { plan, number, optimiser } = start;
      const values = start.params.values.slice();
      const { size } = layout.learnable;
      const update = new Float64Array(size);
      update.set(sum.mean('parameters'), 0);
      if (layout.rates.size > 0) update.set(sum.mean('rates'), layout.rates.offset);
      const step = applyOptimiser(
        values.subarray(0, size),
        pseudoGradient(update),
        optimiser ?? initialState,
        plan.optimiser,
        { round: number, rounds: plan.rounds },
      );
      values.set(step.parameters, 0);
      if (!values.every(Number.isFinite)) return undefined;
      return { metrics: trainingMetrics(sum, update), values, optimiser: step.state };
    }
  }
}

function trainingMetrics(sum: WeightedSum, update: Float64Array): TrainingMetrics {
  const [lossBefore, correctBefore, countBefore, lossAfter, correctAfter, countAfter] = sum.sum('metrics');
  const perRow = (total: number | undefined, count: number | undefined) =>
    (total ?? 0) / Math.max(1, count ?? 0);
  return {
    devices: sum.count,
    weight: sum.totalWeight,
    updateNorm: Math.sqrt(update.reduce((total, value) => total + value * value, 0)),
    lossBefore: perRow(lossBefore, countBefore),
    accuracyBefore: perRow(correctBefore, countBefore),
    lossAfter: perRow(lossAfter, countAfter),
    accuracyAfter: perRow(correctAfter, countAfter),
  };
}

function evaluationMetrics(spec: EvaluationSpec | null, sum: WeightedSum): EvaluationMetrics {
  if (!spec) throw new TypeError('An evaluation round has a specification.');
  const totals = sum.sum('metrics');
  const devices = sum.count;
  const results = evaluationPoints(spec).map((point, index) => {
    const start = index * evaluationWidth;
    const bins = totals.slice(start + evaluationWidth - spreadBins, start + evaluationWidth);
    return {
      ...point,
      accuracy: (totals[start] ?? 0) / devices,
      loss: (totals[start + 1] ?? 0) / devices,
      worstDecile: meanOfLowest(bins, 0.1),
      deciles: Array.from({ length: 9 }, (_, decile) => quantile(bins, (decile + 1) / 10)),
    };
  });
  return { devices, results };
}
