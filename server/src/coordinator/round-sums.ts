import { WeightedSum } from '@starling/aggregation';
import type { AssignmentId, GroupId, RoundId, UpdateBlock } from '@starling/protocol';

/** What a round's sum is made of: clear contributions by assignment, sums under masks by group. */
export type PartId = AssignmentId | GroupId;

interface Running {
  sum: WeightedSum;
  folded: Set<PartId>;
}

/**
 * The sums of rounds under way, kept as their parts arrive. They are a cache: the truth is the set of uploaded
 * assignments in the database and the staged files of them or their groups, from which a sum is rebuilt whenever it does not hold
 * exactly that set (after a restart, or when another node took part). Sums are exact, so both ways give the same bits.
 */
export class RoundSums {
  readonly #running = new Map<RoundId, Running>();

  /** Adds a part that was recorded. The same one is never added twice. */
  fold(roundId: RoundId, partId: PartId, contribution: WeightedSum): void {
    const running = this.#running.get(roundId);
    if (!running) {
      this.#running.set(roundId, { sum: contribution, folded: new Set([partId]) });
    } else if (!running.folded.has(partId)) {
      running.sum.merge(contribution);
      running.folded.add(partId);
    }
  }

  /** The sum over exactly these parts; `load` reads one again from its staged file. */
  async total<P extends PartId>(
    roundId: RoundId,
    parts: readonly P[],
    blocks: readonly UpdateBlock[],
    maxWeight: number,
    load: (id: P) => Promise<WeightedSum>,
  ): Promise<WeightedSum> {
    const running = this.#running.get(roundId);
    const complete = running?.folded.size === parts.length && parts.every((id) => running.folded.has(id));
    if (complete) return running.sum;
    const sum = new WeightedSum(blocks, { maxWeight });
    for (const id of parts) sum.merge(await load(id));
    return sum;
  }

  /** Rounds of which parts are held. */
  rounds(): RoundId[] {
    return [...this.#running.keys()];
  }

  drop(roundId: RoundId): void {
    this.#running.delete(roundId);
  }
}
