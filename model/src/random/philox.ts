/**
 * Philox-4x32-10: ten rounds of a bijection on 128 bits under a 64-bit key, so that block n of a stream is computed
 * from n alone (Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011, section 3.3).
 */

const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
/** Weyl increments of the key: the golden ratio, and sqrt(3) - 1. */
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

/**
 * Writes the four u32 of one block. Many millions are drawn for a large model, so nothing is allocated.
 * @param out - Receives them.
 * @param counter - Words c0 to c3, u32 each.
 * @param key - Words k0 and k1, u32 each.
 */
export function philox4x32(out: Uint32Array, counter: Uint32Array, key: Uint32Array): void {
  let [c0, c1, c2, c3] = [counter[0] | 0, counter[1] | 0, counter[2] | 0, counter[3] | 0];
  let [k0, k1] = [key[0] | 0, key[1] | 0];
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2);
    const low1 = Math.imul(multiplier1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Upper 32 bits of the product of two u32, as an i32: four products of 16 bits, whose sums never leave 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}
