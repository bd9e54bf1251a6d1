import { assertSumFits, decode, encode, lanesOf, type FixedPointBlock } from '@starling/secure';

/** A sum that cannot take what it was given. */
export class WeightedSumError extends Error {
  override readonly name = 'WeightedSumError';
  readonly code = 'weighted-sum';
}

/** One device's part: values by block, in the order of the blocks, and a whole-number weight. */
export interface Contribution {
  readonly blocks: readonly ArrayLike<number>[];
  readonly weight: number;
}

/**
 * The sum over contributions of w x (weighted blocks) or x (others), in exact integers: the same contributions give
 * the same bits in any order and any grouping.
 */
export class WeightedSum {
  readonly #blocks: readonly FixedPointBlock[];
  readonly #lanes: Float64Array[];
  readonly #maxWeight: number;
  #weight = 0;
  #count = 0;

  constructor(blocks: readonly FixedPointBlock[], { maxWeight = 4096 }: { maxWeight?: number } = {}) {
    this.#blocks = blocks;
    this.#maxWeight = maxWeight;
    this.#lanes = blocks.map((block) => new Float64Array(lanesOf(block)));
  }

  /** A sum that was taken elsewhere in the same integers: lanes by block, as `encode` lays them out. */
  static ofLanes(
    blocks: readonly FixedPointBlock[],
    { maxWeight = 4096 }: { maxWeight?: number },
    sum: { lanes: readonly Float64Array[]; weight: number; count: number },
  ): WeightedSum {
    const made = new WeightedSum(blocks, { maxWeight });
    made.#assertRoom(sum.count);
    for (const [index, lanes] of made.#lanes.entries()) accumulate(lanes, sum.lanes[index]!, 1);
    made.#weight = sum.weight;
    made.#count = sum.count;
    return made;
  }

  get totalWeight(): number {
    return this.#weight;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds one contribution, wholly or not at all. Throws FixedPointError, SumOverflow or {@link WeightedSumError}. */
  add({ blocks, weight }: Contribution): void {
    if (blocks.length !== this.#blocks.length) {
      throw new WeightedSumError(
        `The contribution has ${blocks.length} blocks; ${this.#blocks.length} were expected.`,
      );
    }
    if (!Number.isInteger(weight) || weight < 1 || weight > this.#maxWeight) {
      throw new WeightedSumError(
        `The weight is ${weight}; a whole number from 1 to ${this.#maxWeight} was expected.`,
      );
    }
    const encoded = this.#blocks.map((block, index) => encode(blocks[index]!, block));
    this.#assertRoom(1);
    for (const [index, block] of this.#blocks.entries()) {
      accumulate(this.#lanes[index]!, encoded[index]!, block.weighted ? weight : 1);
    }
    this.#weight += weight;
    this.#count++;
  }

  /** Adds everything that another sum over the same blocks and weights holds. Throws SumOverflow or {@link WeightedSumError}. */
  merge(other: WeightedSum): void {
    if (
      other.#maxWeight !== this.#maxWeight ||
      JSON.stringify(other.#blocks) !== JSON.stringify(this.#blocks)
    ) {
      throw new WeightedSumError('The sums are over different blocks, or allow different weights.');
    }
    this.#assertRoom(other.#count);
    for (const [index, lanes] of this.#lanes.entries()) accumulate(lanes, other.#lanes[index]!, 1);
    this.#weight += other.#weight;
    this.#count += other.#count;
  }

  /** Weighted blocks: sum(w x) / sum(w). Others: the mean over contributions. [size] */
  mean(name: string): Float64Array {
    const { block, lanes } = this.#find(name);
    const divisor = block.weighted ? this.#weight : this.#count;
    if (divisor === 0) throw new WeightedSumError('The sum is empty: it has no mean.');
    return decode(lanes, block, divisor);
  }

  /** sum(w x) of a weighted block, sum(x) of another. [size] */
  sum(name: string): Float64Array {
    const { block, lanes } = this.#find(name);
    return decode(lanes, block, 1);
  }

  #find(name: string): { block: FixedPointBlock; lanes: Float64Array } {
    const index = this.#blocks.findIndex((block) => block.name === name);
    const block = this.#blocks[index];
    const lanes = this.#lanes[index];
    if (!block || !lanes) throw new WeightedSumError(`There is no block "${name}".`);
    return { block, lanes };
  }

  #assertRoom(more: number): void {
    for (const block of this.#blocks) {
      assertSumFits(block, { maxWeight: this.#maxWeight, maxCount: this.#count + more });
    }
  }
}

function accumulate(into: Float64Array, lanes: Float64Array, weight: number): void {
  for (let index = 0; index < into.length; index++) into[index]! += weight * lanes[index]!;
}
