import type { Model, ParameterLayout } from '@starling/model';
import { layoutOf } from '@starling/model';
import {
  evaluationPoints,
  evaluationWidth,
  metricClip,
  trainingMetrics,
  type EvaluationSpec,
  type Plan,
  type RoundKind,
  type UpdateBlock,
} from '@starling/protocol';

/** Whether a plan trains rates of its own for every parameter: they travel and are stored as parameters. */
export function hasLearnedRates(plan: Plan): boolean {
  return plan.learning.algorithm === 'meta-sgd';
}

export function layoutFor(model: Model, plan: Plan): ParameterLayout {
  return layoutOf(model, { learnedRates: hasLearnedRates(plan) });
}

/** Fixed point of parameters and rates when the plan names none: 24 fractional bits, magnitudes up to 64. */
const defaultEncoding = { scaleBits: 24, clip: 64 };

/** Metrics: sums over rows up to 2^20 a device, to six decimal places. */
const metricScaleBits = 20;

/** Moments have no known scale: three limbs hold 39 fractional bits and magnitudes up to 2^37. */
const momentEncoding = { scaleBits: 39, clip: 2 ** 37 };

/** The blocks of a contribution to a round of this kind, in order. */
export function blocksOf(
  kind: RoundKind,
  model: Model,
  plan: Plan,
  evaluation: EvaluationSpec | null,
): UpdateBlock[] {
  if (kind === 'statistics') {
    const size = 2 * statisticChannels(model);
    return [{ name: 'moments', size, ...momentEncoding, weighted: true, limbs: 3 }];
  }
  if (kind === 'evaluation') {
    if (!evaluation) throw new TypeError('An evaluation round has a specification.');
    return [metricsBlock(evaluationPoints(evaluation).length * evaluationWidth)];
  }
  const { scaleBits, clip, rounding }: NonNullable<Plan['encoding']> = plan.encoding ?? defaultEncoding;
  const isStochastic = (rounding ?? (plan.secure?.ring === 16 ? 'stochastic' : 'nearest')) === 'stochastic';
  const encoding = { scaleBits, clip, ...(isStochastic && { rounding: 'stochastic' as const }) };
  const layout = layoutFor(model, plan);
  const blocks: UpdateBlock[] = [
    { name: 'parameters', size: layout.weights.size, ...encoding, weighted: true, limbs: 1 },
  ];
  if (layout.rates.size > 0) {
    blocks.push({ name: 'rates', size: layout.rates.size, ...encoding, weighted: true, limbs: 1 });
  }
  return [...blocks, metricsBlock(trainingMetrics.length)];
}

/** Channels of the model's standardised input (0 when it has none). */
export function statisticChannels(model: Model): number {
  return layoutOf(model).statistics.size / 2;
}

function metricsBlock(size: number): UpdateBlock {
  return { name: 'metrics', size, scaleBits: metricScaleBits, clip: metricClip, weighted: false, limbs: 1 };
}
