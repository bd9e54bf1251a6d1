/** Vectors over the ring, and how they travel: words of 2 or 4 bytes, little-endian. */
import { concatBytes } from '@starling/protocol';

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
  const sum = signedWords(target, width);
  const words = signedWords(aligned, width);
  for (let at = 0; at < sum.length; at++) sum[at] = (sum[at]! + words[at]!) | 0;
}

/** Words that lie where they were staged: in a file, or in memory. */
export interface StagedWords {
  /** Bytes. */
  readonly length: number;
  /** SHA-256 of the bytes that `read` will give. */
  readonly digest: Uint8Array;
  /** The bytes in their order, in chunks of any size. */
  read(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * {@link addWords} chunk by chunk: no more than one is in memory. Gives false where they are fewer or more bytes than the
 * target's; then, or when reading fails, the target is spoiled.
 */
export async function addStaged(target: RingVector, staged: Pick<StagedWords, 'read'>): Promise<boolean> {
  const width = target.BYTES_PER_ELEMENT;
  let at = 0;
  let rest = new Uint8Array();
  for await (const chunk of staged.read()) {
    const bytes = rest.length > 0 ? concatBytes(rest, chunk) : chunk;
    const words = Math.floor(bytes.length / width);
    if (at + words > target.length) return false;
    addWords(target.subarray(at, at + words), bytes.subarray(0, words * width));
    at += words;
    rest = bytes.slice(words * width);
  }
  return at === target.length && rest.length === 0;
}

/** Sums of unsigned words of 32 bits would pass through floating point. */
function signedWords({ buffer, byteOffset, byteLength }: ArrayBufferView, width: number) {
  const length = byteLength / width;
  return width === 2
    ? new Int16Array(buffer, byteOffset, length)
    : new Int32Array(buffer, byteOffset, length);
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const turned = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) turned[at] = bytes[at - (at % width) + width - 1 - (at % width)]!;
  return turned;
}
