import { WeightedSum, type Contribution } from '@starling/aggregation';
import type { AssignmentId, GroupId, RoundId, UpdateBlock } from '@starling/protocol';

/** What a round's sum is made of: clear contributions by assignment, sums under masks by group. */
export type PartId = AssignmentId | GroupId;

/** What a sum is over. */
export interface SumTerms {
  readonly blocks: readonly UpdateBlock[];
  readonly maxWeight: number;
}

/** Contributions that are folded at once: together they take less time than one by one. */
const mostWaiting = 8;
const mostWaitingBytes = 2 ** 25;

/** A sum, and contributions that are to be folded into it. */
class RunningSum {
  readonly #sum: WeightedSum;
  readonly folded = new Set<PartId>();
  #waiting: Contribution[] = [];
  #waitingBytes = 0;
  /** Called when what waits is folded. */
  #folded: (() => void)[] = [];

  constructor({ blocks, maxWeight }: SumTerms) {
    this.#sum = new WeightedSum(blocks, { maxWeight });
  }

  add(id: PartId, part: Contribution | WeightedSum, onFolded: () => void = () => undefined): void {
    if (this.folded.has(id)) {
      onFolded();
      return;
    }
    this.folded.add(id);
    if (part instanceof WeightedSum) {
      this.#sum.merge(part);
      onFolded();
      return;
    }
    this.#waiting.push(part);
    this.#folded.push(onFolded);
    this.#waitingBytes += part.blocks.reduce((sum, values) => sum + 8 * values.length, 0);
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes >= mostWaitingBytes) this.#fold();
  }

  total(): WeightedSum {
    this.#fold();
    return this.#sum;
  }

  #fold(): void {
    this.#sum.addAll(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const told of this.#folded) told();
    this.#folded = [];
  }
}

/**
 * The sums of rounds under way, kept as their parts arrive. They are a cache: the truth is the set of uploaded
 * assignments in the database and the staged files of them or their groups, from which a sum is rebuilt whenever it does not hold
 * exactly that set (after a restart, or when another node took part). Sums are exact, so both ways give the same bits.
 */
export class RoundSums {
  readonly #running = new Map<RoundId, RunningSum>();

  /**
   * Adds a part that was checked and recorded. The same one is never added twice. When its values are read no more,
   * `onFolded` is called; never if the sum is dropped before.
   */
  fold(
    roundId: RoundId,
    terms: SumTerms,
    partId: PartId,
    part: Contribution | WeightedSum,
    onFolded?: () => void,
  ): void {
    let running = this.#running.get(roundId);
    if (!running) {
      running = new RunningSum(terms);
      this.#running.set(roundId, running);
    }
    running.add(partId, part, onFolded);
  }

  /** The sum over exactly these parts; `load` reads one again from its staged file. */
  async total<P extends PartId>(
    roundId: RoundId,
    terms: SumTerms,
    parts: readonly P[],
    load: (id: P) => Promise<Contribution | WeightedSum>,
  ): Promise<WeightedSum> {
    const running = this.#running.get(roundId);
    const complete = running?.folded.size === parts.length && parts.every((id) => running.folded.has(id));
    if (complete) return running.total();
    const sum = new RunningSum(terms);
    for (const id of parts) sum.add(id, await load(id));
    return sum.total();
  }

  /** Rounds of which parts are held. */
  rounds(): RoundId[] {
    return [...this.#running.keys()];
  }

  drop(roundId: RoundId): void {
    this.#running.delete(roundId);
  }
}
