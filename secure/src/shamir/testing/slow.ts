/** Secret sharing as it is defined, byte by byte and bit by bit: slow, no tables. */

/** In GF(2^8): polynomials over GF(2) multiplied, then reduced by x^8 + x^4 + x^3 + x + 1. */
export function multiply(left: number, right: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if ((right >> bit) & 1) product ^= left << bit;
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0b1_0001_1011 << (bit - 8);
  return product;
}

/** By trial. */
export function inverse(number: number): number {
  for (let candidate = 1; candidate < 256; candidate++)
    if (multiply(number, candidate) === 1) return candidate;
  throw new RangeError('0 has no inverse.');
}

/** The value at a point of a polynomial, constant coefficient first (Horner). */
export function evaluate(coefficients: readonly number[], point: number): number {
  return coefficients.reduceRight((value, coefficient) => multiply(value, point) ^ coefficient, 0);
}

/** The value at 0 of the one polynomial of degree below shares.length through these shares (Lagrange). */
export function interpolateAtZero(shares: readonly { point: number; value: number }[]): number {
  return shares.reduce((sum, { point, value }) => {
    const weight = shares
      .filter((other) => other.point !== point)
      .reduce((product, other) => multiply(product, multiply(other.point, inverse(other.point ^ point))), 1);
    return sum ^ multiply(value, weight);
  }, 0);
}
