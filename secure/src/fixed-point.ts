/** Fixed point: values as integers, so that sums are exact and do not depend on their order. */

/** How the values of one block become integers. */
export interface FixedPointBlock {
  readonly name: string;
  readonly size: number;
  /** Fractional bits. */
  readonly scaleBits: number;
  /** Largest magnitude of a value. */
  readonly clip: number;
  /** Whether values are multiplied by the weight of their contribution. */
  readonly weighted: boolean;
  /** 3: integers of up to 78 bits, as three signed limbs of 26. */
  readonly limbs: 1 | 3;
}

export type FixedPointProblem = 'value-out-of-range' | 'value-not-finite' | 'wrong-length';

/** A value that its block cannot hold. */
export class FixedPointError extends Error {
  override readonly name = 'FixedPointError';
  readonly code: FixedPointProblem;
  readonly index: number;

  constructor(code: FixedPointProblem, message: string, index: number) {
    super(message);
    this.code = code;
    this.index = index;
  }
}

/** Weights, counts and range that together could leave the exact integers. */
export class SumOverflow extends Error {
  override readonly name = 'SumOverflow';
  readonly code = 'sum-overflow';
}

const limbBits = 26;
const limb = 2 ** limbBits;

/** Lanes that a block takes: one a value, or three. */
export function lanesOf(block: FixedPointBlock): number {
  return block.size * block.limbs;
}

/**
 * Encodes values [size] to integers round(x 2^scaleBits), halves away from zero, in float64 lanes [size * limbs]
 * (limbs one after another: all lowest, all middle, all highest). Throws {@link FixedPointError}.
 */
export function encode(values: ArrayLike<number>, block: FixedPointBlock): Float64Array {
  const { name, size, scaleBits, clip, limbs } = block;
  if (values.length !== size) {
    throw new FixedPointError(
      'wrong-length',
      `Block "${name}" has ${values.length} values; ${size} were expected.`,
      -1,
    );
  }
  const scale = 2 ** scaleBits;
  const lanes = new Float64Array(size * limbs);
  for (let index = 0; index < size; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) {
      throw new FixedPointError(
        'value-not-finite',
        `Value ${index} of block "${name}" is ${value}; finite values were expected.`,
        index,
      );
    }
    if (Math.abs(value) > clip) {
      throw new FixedPointError(
        'value-out-of-range',
        `Value ${index} of block "${name}" is ${value}; magnitudes up to ${clip} were expected.`,
        index,
      );
    }
    const magnitude = Math.round(Math.abs(value) * scale);
    const integer = value < 0 ? 0 - magnitude : magnitude; // never -0
    if (limbs === 1) {
      lanes[index] = integer;
    } else {
      // A float64 times a power of two is exact, and so is each division's remainder below.
      const high = Math.trunc(integer / limb ** 2);
      const rest = integer - high * limb ** 2;
      const middle = Math.trunc(rest / limb);
      lanes[index] = rest - middle * limb;
      lanes[size + index] = middle;
      lanes[2 * size + index] = high;
    }
  }
  return lanes;
}

/** Values of summed lanes [size * limbs], divided by `divisor`. */
export function decode(lanes: Float64Array, block: FixedPointBlock, divisor: number): Float64Array {
  const { size, scaleBits, limbs } = block;
  const scale = 2 ** scaleBits;
  const values = new Float64Array(size);
  for (let index = 0; index < size; index++) {
    const integer =
      limbs === 1
        ? lanes[index]!
        : lanes[2 * size + index]! * limb ** 2 + lanes[size + index]! * limb + lanes[index]!;
    values[index] = integer / divisor / scale;
  }
  return values;
}

/**
 * Checks that a sum over `maxCount` contributions of weight up to `maxWeight` has a magnitude of at most `room`:
 * 2^53 for float64 lanes, 2^(w - 1) - 1 for a ring of two's complement words of w bits. Throws {@link SumOverflow}, which
 * names each term that would do if it alone were lowered, and to what.
 */
export function assertSumFits(
  block: FixedPointBlock,
  { maxWeight, maxCount }: { maxWeight: number; maxCount: number },
  room = 2 ** 53,
): void {
  const { name, scaleBits, clip, weighted, limbs } = block;
  const largest = Math.ceil(clip * 2 ** scaleBits);
  if (limbs === 3 && !(largest <= 2 ** (3 * limbBits - 1))) {
    throw new SumOverflow(
      `Block "${name}": clip ${clip} with ${scaleBits} fractional bits exceeds three limbs. Lower one of them.`,
    );
  }
  const lane = limbs === 3 ? limb : largest;
  const weight = weighted ? maxWeight : 1;
  if (lane * weight * maxCount <= room) return;
  const terms: [name: string, limit: number][] = [
    ['maxCount', Math.floor(room / (lane * weight))],
    ['maxWeight', weighted ? Math.floor(room / (lane * maxCount)) : 0],
    ['scaleBits', limbs === 1 ? Math.floor(Math.log2(room / (clip * weight * maxCount))) : 0],
    ['clip', limbs === 1 ? Math.floor(room / (weight * maxCount)) / 2 ** scaleBits : 0],
  ];
  const ways = terms.filter(([, limit]) => limit > 0).map(([term, limit]) => `${term} to ${limit}`);
  const advice =
    ways.length > 0 ? `Lower ${ways.join(', or ')}` : 'No single term suffices: lower several of them';
  const weights = weighted ? ` of weight up to ${maxWeight}` : '';
  throw new SumOverflow(
    `Block "${name}": ${maxCount} contributions${weights}, each value up to ${lane} as an integer, need ${Math.log2(lane * weight * maxCount).toFixed(1)} bits; ${Number(Math.log2(room).toFixed(1))} are exact. ${advice}.`,
  );
}
