import { flopsOfExample, type Model } from '@starling/model';
import type { Work } from '@starling/protocol';

/**
 * Floating-point operations of products that a piece of work takes on `rows` examples, in the count of `flopsOfExample`: judging a row
 * is a third of training on it, an inner step of second order three times. What a device does besides is not counted.
 */
export function flopsOf(work: Work, model: Model, rows: number): number {
  const one = flopsOfExample(model);
  const judged = one / 3;
  switch (work.kind) {
    case 'statistics':
      return 0;
    case 'training': {
      const { learning } = work;
      if (learning.algorithm === 'fedavg') return (learning.epochs * one + 2 * judged) * rows;
      if (learning.algorithm === 'reptile')
        return learning.steps * Math.min(learning.batchSize, rows) * one + 2 * rows * judged;
      const { supportShares, innerSteps, maxQuery, algorithm } = learning;
      const support = rows * (supportShares.reduce((sum, share) => sum + share, 0) / supportShares.length);
      const query = Math.min(rows / 2, maxQuery);
      return innerSteps * support * one * (algorithm === 'fomaml' ? 1 : 3) + query * (one + judged);
    }
    case 'evaluation': {
      const { supportShares, steps, alone } = work.spec;
      const all = alone ? alone.steps.reduce((sum, count) => sum + count, 0) : Math.max(...steps);
      return supportShares.reduce(
        (sum, share) => sum + rows * share * all * one + (steps.length + 1) * (rows / 2) * judged,
        0,
      );
    }
  }
}
