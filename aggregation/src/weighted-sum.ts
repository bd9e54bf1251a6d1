import { assertSumFits, decode, encode, lanesOf, type FixedPointBlock } from '@starling/secure';
import { bestFolding, negated, type WeightedVector } from './folding/index.ts';

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

/** Throws FixedPointError or {@link WeightedSumError} where a contribution is none that a sum over these blocks takes. */
export function checkContribution(
  contribution: Contribution,
  blocks: readonly FixedPointBlock[],
  maxWeight: number,
): void {
  checkShape(contribution, blocks, maxWeight);
  for (const [index, block] of blocks.entries()) {
    const vector = contribution.blocks[index]!;
    if (isFoldable(vector, block) && bestFolding().isWithin(vector, block.clip)) continue;
    encode(vector, block); // says what is wrong, where something is
  }
}

function checkShape(
  { blocks: values, weight }: Contribution,
  blocks: readonly FixedPointBlock[],
  maxWeight: number,
): void {
  if (values.length !== blocks.length) {
    throw new WeightedSumError(
      `The contribution has ${values.length} blocks; ${blocks.length} were expected.`,
    );
  }
  if (!Number.isInteger(weight) || weight < 1 || weight > maxWeight) {
    throw new WeightedSumError(
      `The weight is ${weight}; a whole number from 1 to ${maxWeight} was expected.`,
    );
  }
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

  /** The sum as {@link WeightedSum.ofLanes} takes it: to add up elsewhere, for example in another thread. The lanes are the sum's own. */
  get parts(): { readonly lanes: readonly Float64Array[]; readonly weight: number; readonly count: number } {
    return { lanes: this.#lanes, weight: this.#weight, count: this.#count };
  }

  get totalWeight(): number {
    return this.#weight;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds one contribution, wholly or not at all. Throws as {@link checkContribution}, and SumOverflow. */
  add(contribution: Contribution): void {
    this.addAll([contribution]);
  }

  /** Adds several, all of them or none: in less time than one after another. Throws as {@link checkContribution}, and SumOverflow. */
  addAll(contributions: readonly Contribution[]): void {
    for (const contribution of contributions) checkShape(contribution, this.#blocks, this.#maxWeight);
    this.#assertRoom(contributions.length);
    const parts = this.#blocks.map((block, index) => {
      const folded: WeightedVector[] = [];
      const encoded: { lanes: Float64Array; weight: number }[] = [];
      for (const { blocks, weight } of contributions) {
        const values = blocks[index]!;
        const times = block.weighted ? weight : 1;
        if (isFoldable(values, block)) folded.push({ values, weight: times });
        else encoded.push({ lanes: encode(values, block), weight: times });
      }
      return { block, lanes: this.#lanes[index]!, folded, encoded };
    });
    for (const [index, { block, lanes, folded }] of parts.entries()) {
      if (bestFolding().add(lanes, folded, block)) continue;
      for (const before of parts.slice(0, index)) {
        bestFolding().add(before.lanes, negated(before.folded), before.block);
      }
      for (const { values } of folded) encode(values, block); // says what is wrong
    }
    for (const { lanes, encoded } of parts) {
      for (const one of encoded) accumulate(lanes, one.lanes, one.weight);
    }
    for (const { weight } of contributions) this.#weight += weight;
    this.#count += contributions.length;
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

function isFoldable(values: ArrayLike<number>, block: FixedPointBlock): values is Float32Array {
  return values instanceof Float32Array && block.limbs === 1 && values.length === block.size;
}
