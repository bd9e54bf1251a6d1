/**
 * A contribution as a vector over the ring of SA-1. The integers are those of the clear fixed point, times the weight; one
 * that does not fit a word is spread over several. So the sum under masks is the clear sum bit for bit, for any encoding:
 * nothing is rounded a second time. Behind the blocks stands the weight.
 *
 * An integer v over k words: k - 1 digits of `digitBits` from the lowest, each in [0, 2^digitBits), and the rest
 * floor(v / 2^(digitBits (k - 1))), which has the sign. `digitBits` leaves room for the sum of `maxCount` digits.
 */
import { encode, lanesOf, SumOverflow, type FixedPointBlock } from './fixed-point.ts';
import { newVector, type Ring, type RingVector } from './protocol/words.ts';

export interface RingLayout {
  readonly ring: Ring;
  readonly maxWeight: number;
  /** Most contributions in a sum. */
  readonly maxCount: number;
  /** Coordinates in all. */
  readonly length: number;
  readonly digitBits: number;
  /** In the order of the blocks; the weight behind them. */
  readonly lanes: readonly RingLanes[];
}

interface RingLanes {
  readonly block: FixedPointBlock | undefined;
  /** Integers, each over `words` words: all lowest digits first, then the next. */
  readonly count: number;
  readonly words: number;
}

/** A sum over the ring, read back: integers as float64 lanes by block, and the weight. */
export interface RingSum {
  readonly lanes: readonly Float64Array[];
  readonly weight: number;
}

/** A sum that no contributions within the plan's ranges give. */
export class RingSumError extends Error {
  override readonly name = 'RingSumError';
  readonly code = 'sum-out-of-range';
}

/** Fewest bits of a digit: below, the words of an integer would be many, and mostly head-room. */
const leastDigitBits = 4;

/** Integers above this are not exact in float64. */
const exact = 2 ** 53;

/**
 * Where the integers of `blocks` stand in a vector whose sums of up to `maxCount` contributions of weight up to `maxWeight`
 * cannot overflow. Throws {@link SumOverflow} where the group is too large for the ring, or an integer leaves float64.
 */
export function ringLayout(
  blocks: readonly FixedPointBlock[],
  { ring, maxWeight, maxCount }: { ring: Ring; maxWeight: number; maxCount: number },
): RingLayout {
  const headRoomBits = Math.ceil(Math.log2(maxCount));
  const digitBits = ring - headRoomBits;
  if (digitBits - 1 < leastDigitBits) {
    throw new SumOverflow(
      `Sums of ${maxCount} members leave ${digitBits} of the ring's ${ring} bits to a digit. Lower the members to ${2 ** (ring - leastDigitBits - 1)}, or widen the ring.`,
    );
  }
  const lanesFor = (block: FixedPointBlock | undefined, count: number, largest: number): RingLanes => {
    if (largest * maxCount >= exact) {
      throw new SumOverflow(
        `Block "${block?.name ?? 'weight'}": sums of ${maxCount} members reach ${Math.log2(largest * maxCount).toFixed(1)} bits; 53 are exact.`,
      );
    }
    let words = 1;
    while (maxCount * Math.ceil(largest / 2 ** (digitBits * (words - 1))) >= 2 ** (ring - 1)) words++;
    return { block, count, words };
  };
  const lanes = [
    ...blocks.map((block) => lanesFor(block, lanesOf(block), magnitudeOf(block, maxWeight))),
    lanesFor(undefined, 1, maxWeight),
  ];
  const length = lanes.reduce((sum, { count, words }) => sum + count * words, 0);
  return { ring, maxWeight, maxCount, length, digitBits, lanes };
}

/**
 * Bits that a block's values could have more before its integers took another word (0 to digitBits): head-room that a
 * plan's encoding may use at no cost.
 */
export function spareBits(layout: RingLayout, name: string): number {
  const found = layout.lanes.find(({ block }) => block?.name === name);
  if (!found?.block) throw new RangeError(`There is no block "${name}".`);
  const top = layout.ring - 1 - Math.log2(layout.maxCount);
  const held = top + layout.digitBits * (found.words - 1);
  return Math.max(0, Math.floor(held - Math.log2(magnitudeOf(found.block, layout.maxWeight))));
}

/** Encodes values by block, times the weight, and the weight. Throws FixedPointError, RangeError for the weight. */
export function encodeForRing(
  layout: RingLayout,
  values: readonly ArrayLike<number>[],
  weight: number,
): RingVector {
  if (!Number.isInteger(weight) || weight < 1 || weight > layout.maxWeight) {
    throw new RangeError(
      `The weight is ${weight}; a whole number from 1 to ${layout.maxWeight} was expected.`,
    );
  }
  const vector = newVector(layout.ring, layout.length);
  let offset = 0;
  for (const [index, { block, count, words }] of layout.lanes.entries()) {
    const integers = block ? encode(values[index]!, block) : Float64Array.of(1);
    const factor = block && !block.weighted ? 1 : weight;
    spread(vector, offset, integers, factor, words, layout.digitBits);
    offset += count * words;
  }
  return vector;
}

/**
 * Reads a sum of `count` contributions. Throws {@link RingSumError} where the weight is none that so many could have: a
 * member left the plan's range, and the sum is worthless.
 */
export function decodeRingSum(layout: RingLayout, vector: RingVector, count: number): RingSum {
  if (vector.length !== layout.length) {
    throw new RangeError(`A sum of ${vector.length} coordinates; ${layout.length} were expected.`);
  }
  if (count < 1 || count > layout.maxCount) {
    throw new RangeError(`A sum of ${count} contributions; 1 to ${layout.maxCount} were expected.`);
  }
  let offset = 0;
  const decoded = layout.lanes.map(({ block, count: size, words }) => {
    const integers = gather(vector, offset, size, words, layout);
    offset += size * words;
    const weight = !block || block.weighted ? layout.maxWeight : 1;
    const bound = block ? count * laneMagnitude(block) * weight : count * weight;
    if (integers.some((integer) => Math.abs(integer) > bound)) {
      throw new RingSumError(
        `The sum of block "${block?.name ?? 'weight'}" is beyond what ${count} contributions within the plan's range can give.`,
      );
    }
    return integers;
  });
  const weight = decoded.pop()![0]!; // the last lanes are the weight's
  if (weight < count)
    throw new RingSumError(`${count} contributions weigh ${weight}; each weighs at least 1.`);
  return { lanes: decoded, weight };
}

function laneMagnitude(block: FixedPointBlock): number {
  return block.limbs === 3 ? 2 ** 26 : Math.ceil(block.clip * 2 ** block.scaleBits);
}

function magnitudeOf(block: FixedPointBlock, maxWeight: number): number {
  return laneMagnitude(block) * (block.weighted ? maxWeight : 1);
}

function spread(
  vector: RingVector,
  offset: number,
  integers: Float64Array,
  factor: number,
  words: number,
  digitBits: number,
): void {
  const base = 2 ** digitBits;
  const size = integers.length;
  for (let index = 0; index < size; index++) {
    let rest = integers[index]! * factor;
    for (let word = 0; word < words - 1; word++) {
      const next = Math.floor(rest / base);
      vector[offset + word * size + index] = rest - next * base;
      rest = next;
    }
    vector[offset + (words - 1) * size + index] = rest; // wraps: two's complement
  }
}

function gather(
  vector: RingVector,
  offset: number,
  size: number,
  words: number,
  { ring, digitBits }: RingLayout,
): Float64Array {
  const half = 2 ** (ring - 1);
  const integers = new Float64Array(size);
  for (let index = 0; index < size; index++) {
    const top = vector[offset + (words - 1) * size + index]!;
    let integer = top < half ? top : top - 2 * half;
    for (let word = words - 2; word >= 0; word--) {
      integer = integer * 2 ** digitBits + vector[offset + word * size + index]!;
    }
    integers[index] = integer + 0; // never -0
  }
  return integers;
}
