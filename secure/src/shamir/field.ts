/** GF(2^8) with the polynomial x^8 + x^4 + x^3 + x + 1 (0x11b): sums are XOR. */

const polynomial = 0x11b;

/** Powers of the generator 3 and their exponents. For public numbers only: a look-up shows its place to the caches. */
const powers = new Uint8Array(510);
const exponents = new Uint8Array(256);
for (let exponent = 0, power = 1; exponent < 255; exponent++) {
  powers[exponent] = powers[exponent + 255] = power;
  exponents[power] = exponent;
  power ^= power << 1;
  if (power > 255) power ^= polynomial;
}

/** 1, x, x^2, ... x^(many-1) of a public x, 1..255. */
export function powersOf(x: number, many: number): Uint8Array {
  const step = exponents[x]!;
  const result = new Uint8Array(many);
  for (let at = 0, exponent = 0; at < many; at++, exponent = (exponent + step) % 255)
    result[at] = powers[exponent]!;
  return result;
}

/**
 * What each point's value counts for in the value at 0: the product of x_j / (x_j - x_i) over all others (Lagrange).
 * Points are public, distinct, 1..255.
 */
export function weightsAtZero(points: readonly number[]): Uint8Array {
  const all = points.reduce((sum, point) => sum + exponents[point]!, 0);
  return Uint8Array.from(points, (point) => {
    let below = exponents[point]!;
    for (const other of points) if (other !== point) below += exponents[point ^ other]!;
    return powers[(255 * points.length + all - below) % 255]!;
  });
}

/** Words of a vector: filled up to whole groups of four. */
export function wordsFor(elements: number): number {
  return 4 * Math.ceil(elements / 16);
}

/**
 * The sum of weights[i] * vectors[i], where vectors lie one after another, `words` words each (a multiple of 4), four
 * elements a word. Constant time in the vectors: each bit of a weight, which is public, says whether its vector goes
 * into the sum for that bit; from the highest bit to the lowest, sums are doubled and added, four elements at once.
 */
export function weightedSum(weights: Uint8Array, vectors: Int32Array, words: number): Int32Array {
  // Where the vectors of each bit start, bit 7 first; ends[7 - bit] is behind the last of that bit.
  const starts = new Int32Array(8 * weights.length + 1);
  const ends = new Int32Array(8);
  let many = 0;
  for (let bit = 7; bit >= 0; bit--) {
    for (let i = 0; i < weights.length; i++) {
      starts[many] = i * words;
      many += (weights[i]! >> bit) & 1;
    }
    ends[7 - bit] = many;
  }

  const result = new Int32Array(words);
  for (let word = 0; word < words; word += 4) {
    let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
    for (let step = 0, next = 0; step < 8; step++) {
      sum0 = doubled(sum0);
      sum1 = doubled(sum1);
      sum2 = doubled(sum2);
      sum3 = doubled(sum3);
      for (const end = ends[step]!; next < end; next++) {
        const at = starts[next]! + word;
        sum0 ^= vectors[at]!;
        sum1 ^= vectors[at + 1]!;
        sum2 ^= vectors[at + 2]!;
        sum3 ^= vectors[at + 3]!;
      }
    }
    result[word] = sum0;
    result[word + 1] = sum1;
    result[word + 2] = sum2;
    result[word + 3] = sum3;
  }
  return result;
}

/** x times each of four elements, those that overflow reduced. */
function doubled(word: number): number {
  return ((word & 0x7f7f7f7f) << 1) ^ Math.imul((word >>> 7) & 0x01010101, polynomial & 0xff);
}
