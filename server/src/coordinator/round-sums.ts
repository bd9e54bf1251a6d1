import { WeightedSum } from '@starling/aggregation';
import type { AssignmentId, RoundId, UpdateBlock } from '@starling/protocol';

interface Running {
  sum: WeightedSum;
  folded: Set<AssignmentId>;
}

/**
 * The sums of rounds under way, kept as their updates arrive. They are a cache: the truth is the set of uploaded
 * assignments in the database and their staged files, from which a sum is rebuilt whenever it does not hold
 * exactly that set (after a restart, or when another node took part). Sums are exact, so both ways give the same bits.
 */
export class RoundSums {
  readonly #running = new Map<RoundId, Running>();

  /** Adds a contribution that was recorded as uploaded. The same assignment is never added twice. */
  fold(roundId: RoundId, assignmentId: AssignmentId, contribution: WeightedSum): void {
    const running = this.#running.get(roundId);
    if (!running) {
      this.#running.set(roundId, { sum: contribution, folded: new Set([assignmentId]) });
    } else if (!running.folded.has(assignmentId)) {
      running.sum.merge(contribution);
      running.folded.add(assignmentId);
    }
  }

  /** The sum over exactly these assignments; `load` reads one again from its staged file. */
  async total(
    roundId: RoundId,
    assignments: readonly AssignmentId[],
    blocks: readonly UpdateBlock[],
    maxWeight: number,
    load: (id: AssignmentId) => Promise<WeightedSum>,
  ): Promise<WeightedSum> {
    const running = this.#running.get(roundId);
    const complete =
      running?.folded.size === assignments.length && assignments.every((id) => running.folded.has(id));
    if (complete) return running.sum;
    const sum = new WeightedSum(blocks, { maxWeight });
    for (const id of assignments) sum.merge(await load(id));
    return sum;
  }

  drop(roundId: RoundId): void {
    this.#running.delete(roundId);
  }
}
