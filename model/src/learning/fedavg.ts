import { stream } from '../random/streams.ts';
import type { FedAvgPlan, Learned, LearningContext } from './contract.ts';
import { trainLocally } from './local-training.ts';

/**
 * Federated averaging, the device's half: epochs of SGD over the person's rows, shuffled anew for each; the update counts
 * by the number of rows (McMahan, Moore, Ramage, Hampson, Agüera y Arcas 2017, algorithm 1, ClientUpdate).
 */
export function fedavg(context: LearningContext, plan: FedAvgPlan): Learned {
  const { examples, seed } = context;
  return trainLocally(context, epochs(examples.count, plan, seed), plan, examples.count);
}

function* epochs(count: number, { epochs, batchSize }: FedAvgPlan, seed: number): Iterable<Int32Array> {
  const random = stream(seed, 'shuffle');
  const order = Int32Array.from({ length: count }, (_, row) => row);
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.shuffle(order);
    for (let from = 0; from < count; from += batchSize) yield order.subarray(from, from + batchSize);
  }
}
