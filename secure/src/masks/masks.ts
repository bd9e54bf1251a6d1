import { SecureError } from '../crypto/secure-error.ts';

/**
 * Adds ChaCha20 key streams (RFC 8439, section 2.4; nonce 0, block counter from 0) to vectors, or takes them off, for
 * any range of coordinates. Words of the stream are little-endian. A key masks one vector, once.
 */
export interface Masks {
  readonly name: string;
  /**
   * target[i] += sign * (word from + i of the stream) mod 2^32 for i in 0..target.length-1.
   * @throws SecureError `wrong-length` unless the key has 32 bytes, `out-of-range` beyond the 2^36 words of the stream.
   */
  add32(key: Uint8Array, target: Uint32Array, from: number, sign: 1 | -1): void;
  /**
   * The same mod 2^16 with words of 16 bits: word j of the stream holds coordinate 2j in its lower half, 2j + 1 above.
   * @throws SecureError as add32; the stream has 2^37 such words.
   */
  add16(key: Uint8Array, target: Uint16Array, from: number, sign: 1 | -1): void;
}

/** Of a block of the stream. */
export const blockBytes = 64;

/** The block counter has 32 bits. */
const streamBytes = 2 ** 32 * blockBytes;

/** Where a range of coordinates begins. */
export interface Start {
  /** Block counter, 0..2^32-1. */
  readonly block: number;
  /** Coordinates of that block that lie before it. */
  readonly skip: number;
}

/** @throws SecureError `wrong-length`, `out-of-range` */
export function startOf(key: Uint8Array, target: Uint32Array | Uint16Array, from: number): Start {
  if (key.length !== 32)
    throw new SecureError('wrong-length', `The key of a mask has 32 bytes, not ${key.length}.`);
  const bytes = target.BYTES_PER_ELEMENT;
  if (!Number.isInteger(from) || from < 0 || (from + target.length) * bytes > streamBytes) {
    throw new SecureError(
      'out-of-range',
      `A mask covers coordinates 0 to ${streamBytes / bytes - 1}; ${target.length} from ${from} on were asked for.`,
    );
  }
  const perBlock = blockBytes / bytes;
  const block = Math.floor(from / perBlock);
  return { block, skip: from - block * perBlock };
}
