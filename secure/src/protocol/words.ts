/** Vectors over the ring, and how they travel: words of 2 or 4 bytes, little-endian. */

/** 16: integers mod 2^16 in a Uint16Array. 32: integers mod 2^32 in a Uint32Array. */
export type Ring = 16 | 32;
export type RingVector = Uint16Array | Uint32Array;

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Zeros. */
export function newVector(ring: Ring, length: number): RingVector {
  return ring === 16 ? new Uint16Array(length) : new Uint32Array(length);
}

export function ringOf(vector: RingVector): Ring {
  return vector instanceof Uint16Array ? 16 : 32;
}

/** A vector of words as {@link wordsToBytes} wrote them. */
export function vectorOf(ring: Ring, bytes: Uint8Array): RingVector {
  const vector = newVector(ring, Math.floor((8 * bytes.length) / ring));
  addWords(vector, bytes);
  return vector;
}

/** The words of a vector as bytes, in new memory. */
export function wordsToBytes(vector: RingVector): Uint8Array {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength).slice();
  return isLittleEndian ? bytes : swapped(bytes, vector.BYTES_PER_ELEMENT);
}

/** target[i] += word i of `bytes`, mod the ring. `bytes` has exactly the target's length in bytes. */
export function addWords(target: RingVector, bytes: Uint8Array): void {
  if (bytes.length !== target.byteLength) {
    throw new RangeError(`${target.byteLength} bytes were expected, not ${bytes.length}.`);
  }
  const width = target.BYTES_PER_ELEMENT;
  const native = isLittleEndian ? bytes : swapped(bytes, width);
  // A view needs its words aligned; a part of a larger buffer may not be.
  const aligned = native.byteOffset % width === 0 ? native : native.slice();
  const words =
    width === 2
      ? new Uint16Array(aligned.buffer, aligned.byteOffset, target.length)
      : new Uint32Array(aligned.buffer, aligned.byteOffset, target.length);
  for (let at = 0; at < target.length; at++) target[at] = target[at]! + words[at]!; // wraps in the typed array
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const turned = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) turned[at] = bytes[at - (at % width) + width - 1 - (at % width)]!;
  return turned;
}
