import { flopsOfExample, type Model } from '@starling/model';
import type { Workload } from './workloads.ts';

/**
 * Floating-point operations of products in one training step: two for each multiply and add, forward once and backward
 * twice, but no gradient of the features. What is no product (activations, normalisation, pooling) is not counted. A
 * support of second order counts three times: forward, backward, and the backward of both, which is about three of it.
 */
export function flopsOfStep(model: Model, { rows }: Workload): number {
  const one = flopsOfExample(model);
  return 'train' in rows ? one * rows.train : one * rows.query + 3 * one * rows.support;
}
