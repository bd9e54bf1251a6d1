/** ChaCha20 (Bernstein, 2008; RFC 8439) in plain JavaScript, added to its target as it is made. */
import { startOf, type Masks } from './masks.ts';

const blockWords = 16;

/**
 * Blocks a call. For 16-bit words and the ends of a range they pass through a scratch, whose 4 kB stay in the first
 * cache; for 32-bit words many short calls are optimised better than a long one (5 against 12 ns a word in V8).
 */
const callBlocks = 64;

/** Without WebAssembly; the same stream. */
export function javaScriptMasks(): Masks {
  const scratch = new Int32Array(callBlocks * blockWords);

  return {
    name: 'javascript',
    add32(key, target, from, sign) {
      const { block, skip } = startOf(key, target, from);
      const words = keyWords(key);
      // Int32Array: sums of a Uint32Array would pass through floating point.
      const signed = new Int32Array(target.buffer, target.byteOffset, target.length);
      const ahead = skip === 0 ? 0 : Math.min(blockWords - skip, target.length);
      const whole = Math.floor((target.length - ahead) / blockWords);
      if (ahead > 0) addPart(words, block, skip, signed, 0, ahead, sign);
      const next = ahead > 0 ? block + 1 : block;
      for (let made = 0; made < whole; made += callBlocks) {
        const blocks = Math.min(callBlocks, whole - made);
        addBlocks(words, next + made, signed, ahead + made * blockWords, blocks, sign);
      }
      const done = ahead + whole * blockWords;
      if (done < target.length) addPart(words, next + whole, 0, signed, done, target.length - done, sign);
      words.fill(0);
    },
    add16(key, target, from, sign) {
      const { block, skip } = startOf(key, target, from);
      const words = keyWords(key);
      const halves = 2 * scratch.length;
      // Coordinate i of the range is half i + skip of the stream from this block on.
      for (let first = 0, at = block; first < target.length + skip; first += halves, at += callBlocks) {
        const end = Math.min(first + halves, target.length + skip);
        scratch.fill(0);
        addBlocks(words, at, scratch, 0, Math.ceil((end - first) / (2 * blockWords)), 1);
        addHalves(scratch, first, target, skip, Math.max(first, skip), end, sign);
      }
      words.fill(0);
      scratch.fill(0);
    },
  };

  /** Less than a block: `many` words of it from word `skip` on. */
  function addPart(
    key: Int32Array,
    block: number,
    skip: number,
    target: Int32Array,
    at: number,
    many: number,
    sign: number,
  ): void {
    scratch.fill(0, 0, blockWords);
    addBlocks(key, block, scratch, 0, 1, sign);
    for (let i = 0; i < many; i++) target[at + i] = (target[at + i]! + scratch[skip + i]!) | 0;
    scratch.fill(0, 0, blockWords);
  }
}

function keyWords(key: Uint8Array): Int32Array {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return Int32Array.from({ length: 8 }, (_, word) => view.getInt32(4 * word, true));
}

/**
 * Halves `start` to `end` of a stream of which `words` holds those from `first` on, to places `skip` before. Lane by
 * lane: a borrow must not pass from the lower half to the upper.
 */
function addHalves(
  words: Int32Array,
  first: number,
  target: Uint16Array,
  skip: number,
  start: number,
  end: number,
  sign: number,
): void {
  const flip = sign >> 31; // (x ^ -1) - -1 = -x, (x ^ 0) - 0 = x
  let half = start;
  if ((half & 1) === 1 && half < end) {
    target[half - skip]! += ((words[(half - first) >> 1]! >> 16) ^ flip) - flip;
    half++;
  }
  for (; half + 1 < end; half += 2) {
    const word = words[(half - first) >> 1]!;
    target[half - skip]! += (word ^ flip) - flip;
    target[half + 1 - skip]! += ((word >> 16) ^ flip) - flip;
  }
  if (half < end) target[half - skip]! += (words[(half - first) >> 1]! ^ flip) - flip;
}

/**
 * Whole blocks (RFC 8439, section 2.3), 16 words each, to target[at] and on. The state is four rows a, b, c, d of four
 * words: constants, key, key, counter with a nonce of zeros.
 */
// prettier-ignore
function addBlocks(
  key: Int32Array, block: number, target: Int32Array, at: number, blocks: number, sign: number,
): void {
  const k0 = key[0]!, k1 = key[1]!, k2 = key[2]!, k3 = key[3]!;
  const k4 = key[4]!, k5 = key[5]!, k6 = key[6]!, k7 = key[7]!;
  const flip = sign >> 31;
  for (let made = 0, counter = block | 0; made < blocks; made++, counter = (counter + 1) | 0, at += 16) {
    let a0 = 0x61707865, a1 = 0x3320646e, a2 = 0x79622d32, a3 = 0x6b206574; // "expand 32-byte k"
    let b0 = k0, b1 = k1, b2 = k2, b3 = k3;
    let c0 = k4, c1 = k5, c2 = k6, c3 = k7;
    let d0 = counter, d1 = 0, d2 = 0, d3 = 0;
    for (let round = 0; round < 20; round += 2) {
      // Columns.
      a0 = (a0 + b0) | 0; d0 ^= a0; d0 = (d0 << 16) | (d0 >>> 16); c0 = (c0 + d0) | 0; b0 ^= c0; b0 = (b0 << 12) | (b0 >>> 20);
      a0 = (a0 + b0) | 0; d0 ^= a0; d0 = (d0 << 8) | (d0 >>> 24); c0 = (c0 + d0) | 0; b0 ^= c0; b0 = (b0 << 7) | (b0 >>> 25);
      a1 = (a1 + b1) | 0; d1 ^= a1; d1 = (d1 << 16) | (d1 >>> 16); c1 = (c1 + d1) | 0; b1 ^= c1; b1 = (b1 << 12) | (b1 >>> 20);
      a1 = (a1 + b1) | 0; d1 ^= a1; d1 = (d1 << 8) | (d1 >>> 24); c1 = (c1 + d1) | 0; b1 ^= c1; b1 = (b1 << 7) | (b1 >>> 25);
      a2 = (a2 + b2) | 0; d2 ^= a2; d2 = (d2 << 16) | (d2 >>> 16); c2 = (c2 + d2) | 0; b2 ^= c2; b2 = (b2 << 12) | (b2 >>> 20);
      a2 = (a2 + b2) | 0; d2 ^= a2; d2 = (d2 << 8) | (d2 >>> 24); c2 = (c2 + d2) | 0; b2 ^= c2; b2 = (b2 << 7) | (b2 >>> 25);
      a3 = (a3 + b3) | 0; d3 ^= a3; d3 = (d3 << 16) | (d3 >>> 16); c3 = (c3 + d3) | 0; b3 ^= c3; b3 = (b3 << 12) | (b3 >>> 20);
      a3 = (a3 + b3) | 0; d3 ^= a3; d3 = (d3 << 8) | (d3 >>> 24); c3 = (c3 + d3) | 0; b3 ^= c3; b3 = (b3 << 7) | (b3 >>> 25);
      // Diagonals.
      a0 = (a0 + b1) | 0; d3 ^= a0; d3 = (d3 << 16) | (d3 >>> 16); c2 = (c2 + d3) | 0; b1 ^= c2; b1 = (b1 << 12) | (b1 >>> 20);
      a0 = (a0 + b1) | 0; d3 ^= a0; d3 = (d3 << 8) | (d3 >>> 24); c2 = (c2 + d3) | 0; b1 ^= c2; b1 = (b1 << 7) | (b1 >>> 25);
      a1 = (a1 + b2) | 0; d0 ^= a1; d0 = (d0 << 16) | (d0 >>> 16); c3 = (c3 + d0) | 0; b2 ^= c3; b2 = (b2 << 12) | (b2 >>> 20);
      a1 = (a1 + b2) | 0; d0 ^= a1; d0 = (d0 << 8) | (d0 >>> 24); c3 = (c3 + d0) | 0; b2 ^= c3; b2 = (b2 << 7) | (b2 >>> 25);
      a2 = (a2 + b3) | 0; d1 ^= a2; d1 = (d1 << 16) | (d1 >>> 16); c0 = (c0 + d1) | 0; b3 ^= c0; b3 = (b3 << 12) | (b3 >>> 20);
      a2 = (a2 + b3) | 0; d1 ^= a2; d1 = (d1 << 8) | (d1 >>> 24); c0 = (c0 + d1) | 0; b3 ^= c0; b3 = (b3 << 7) | (b3 >>> 25);
      a3 = (a3 + b0) | 0; d2 ^= a3; d2 = (d2 << 16) | (d2 >>> 16); c1 = (c1 + d2) | 0; b0 ^= c1; b0 = (b0 << 12) | (b0 >>> 20);
      a3 = (a3 + b0) | 0; d2 ^= a3; d2 = (d2 << 8) | (d2 >>> 24); c1 = (c1 + d2) | 0; b0 ^= c1; b0 = (b0 << 7) | (b0 >>> 25);
    }
    target[at] = (target[at]! + (((a0 + 0x61707865) ^ flip) - flip)) | 0;
    target[at + 1] = (target[at + 1]! + (((a1 + 0x3320646e) ^ flip) - flip)) | 0;
    target[at + 2] = (target[at + 2]! + (((a2 + 0x79622d32) ^ flip) - flip)) | 0;
    target[at + 3] = (target[at + 3]! + (((a3 + 0x6b206574) ^ flip) - flip)) | 0;
    target[at + 4] = (target[at + 4]! + (((b0 + k0) ^ flip) - flip)) | 0;
    target[at + 5] = (target[at + 5]! + (((b1 + k1) ^ flip) - flip)) | 0;
    target[at + 6] = (target[at + 6]! + (((b2 + k2) ^ flip) - flip)) | 0;
    target[at + 7] = (target[at + 7]! + (((b3 + k3) ^ flip) - flip)) | 0;
    target[at + 8] = (target[at + 8]! + (((c0 + k4) ^ flip) - flip)) | 0;
    target[at + 9] = (target[at + 9]! + (((c1 + k5) ^ flip) - flip)) | 0;
    target[at + 10] = (target[at + 10]! + (((c2 + k6) ^ flip) - flip)) | 0;
    target[at + 11] = (target[at + 11]! + (((c3 + k7) ^ flip) - flip)) | 0;
    target[at + 12] = (target[at + 12]! + (((d0 + counter) ^ flip) - flip)) | 0;
    target[at + 13] = (target[at + 13]! + ((d1 ^ flip) - flip)) | 0;
    target[at + 14] = (target[at + 14]! + ((d2 ^ flip) - flip)) | 0;
    target[at + 15] = (target[at + 15]! + ((d3 ^ flip) - flip)) | 0;
  }
}
