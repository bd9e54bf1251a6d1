import type { EvaluationSpec } from './schemas/plan.ts';

/**
 * The coordinates that a contribution carries beside its parameters. Device and server derive the same list from
 * the same plan, so a metric is a coordinate of a vector and can be summed under masks like any other.
 */

/** Bins of the histogram over devices that carries the spread of a share in [0, 1] (one point wide). */
export const spreadBins = 100;

/** The bin of a share in [0, 1]; 1 falls in the last. */
export function spreadBin(share: number): number {
  return Math.min(spreadBins - 1, Math.floor(share * spreadBins));
}

/** Sums over a device's rows, in this order, in the `metrics` block of a training contribution. */
export const trainingMetrics = [
  'lossBefore',
  'correctBefore',
  'countBefore',
  'lossAfter',
  'correctAfter',
  'countAfter',
] as const;

/** One thing judged in an evaluation round: the share of support, and the steps taken on it (0 = before). */
export interface EvaluationPoint {
  supportShare: number;
  steps: number;
}

/** What an evaluation judges, in the order of its coordinates. */
export function evaluationPoints(spec: EvaluationSpec): EvaluationPoint[] {
  const steps = [0, ...(spec.alone?.steps ?? spec.steps)];
  return spec.supportShares.flatMap((supportShare) => steps.map((count) => ({ supportShare, steps: count })));
}

/** Scalars per point, before the histogram: accuracy of this device, loss per row of this device. */
export const evaluationScalars = ['accuracy', 'loss'] as const;

/** Coordinates per point: the scalars, then one-hot bins of the device's accuracy. */
export const evaluationWidth = evaluationScalars.length + spreadBins;

/** One block of a contribution: a vector of fixed-point values that is summed exactly over devices. */
export interface UpdateBlock {
  name: 'parameters' | 'rates' | 'moments' | 'metrics';
  size: number;
  scaleBits: number;
  clip: number;
  /** Whether values are multiplied by the contribution's weight before they are summed. */
  weighted: boolean;
  /** 3: a wide encoding in three limbs, for moments of unknown scale. */
  limbs: 1 | 3;
  /** Values are put on the grid of the fixed point at random, without bias, by the device. Else to the nearest. */
  rounding?: 'stochastic';
}

/** dtype of a block's tensor in an uploaded update file (safetensors). */
export function tensorDtype(block: Pick<UpdateBlock, 'name'>): 'F32' | 'F64' {
  return block.name === 'parameters' || block.name === 'rates' ? 'F32' : 'F64';
}

/** Name of the tensor (U32, shape [1]) that holds a contribution's weight. */
export const weightTensor = 'weight';

/** Largest metric value that fits its block; a device clamps its loss to it. */
export const metricClip = 2 ** 20;
