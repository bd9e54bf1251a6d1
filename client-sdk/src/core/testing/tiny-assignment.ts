import { makeId, sha256, trainingMetrics, type Assignment } from '@starling/protocol';
import { tinyFetched, tinySize } from './tiny-model.ts';

const id = (letter: string) => letter.repeat(22);

/** A training assignment of the tiny model. `letter` makes it another one, of another round. */
export function tinyAssignment(changes: Partial<Assignment> = {}, letter = 'a'): Assignment {
  const { ir, weights } = tinyFetched();
  const taskId = makeId('task', id('t'));
  return {
    id: makeId('assignment', id(letter)),
    taskId,
    roundId: makeId('round', id(letter)),
    roundNumber: 3,
    state: 'offered',
    reason: null,
    seed: 11,
    work: { kind: 'training', learning: { algorithm: 'fedavg', epochs: 1, batchSize: 4, rate: 0.1 } },
    model: {
      taskId,
      version: makeId('version', id('v')),
      ir: ir.digest,
      weights: sha256(weights),
      learnedRates: false,
      adaptation: { steps: 5, rate: 0.5 },
    },
    blocks: [
      { name: 'parameters', size: tinySize, scaleBits: 24, clip: 64, weighted: true, limbs: 1 },
      {
        name: 'metrics',
        size: trainingMetrics.length,
        scaleBits: 20,
        clip: 2 ** 20,
        weighted: false,
        limbs: 1,
      },
    ],
    maxWeight: 4096,
    eligibility: {},
    remainingMs: 60_000,
    ...changes,
  };
}
