import { stream } from '../random/streams.ts';
import type { Learned, LearningContext, ReptilePlan } from './contract.ts';
import { trainLocally } from './local-training.ts';

/**
 * Reptile, the device's half: a fixed number of SGD steps; where they end is the direction, every person counts the same
 * (Nichol, Achiam, Schulman 2018, algorithm 1). The server's rate is the paper's epsilon.
 */
export function reptile(context: LearningContext, plan: ReptilePlan): Learned {
  return trainLocally(context, batches(context.examples.count, plan, context.seed), plan, 1);
}

/** Batches in shuffled order; a new shuffle when all rows were seen. */
function* batches(count: number, { steps, batchSize }: ReptilePlan, seed: number): Iterable<Int32Array> {
  const random = stream(seed, 'shuffle');
  const order = Int32Array.from({ length: count }, (_, row) => row);
  let from = count;
  for (let step = 0; step < steps; step++) {
    if (from >= count) {
      random.shuffle(order);
      from = 0;
    }
    yield order.subarray(from, from + batchSize);
    from += batchSize;
  }
}
