/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */

/**
 * ChaCha20 (RFC 8439, section 2.3) with a nonce of zeros, four blocks at a time: lane j of each vector belongs to block
 * j. The stream is added to the tile as it is made, or taken off. Rotations by whole bytes are swizzles by a constant:
 * V8 does them in one instruction, where shuffles and shifts cost 10 % more in all. Unrolling further gains 2 %, and
 * leaves the 4 kB that every browser compiles on its main thread.
 */

/** Where the key lies: 32 bytes. */
export const keyPlace: usize = 64;
/** Where the target lies: whole groups of four blocks; 16 kB stay in the first cache. */
export const tilePlace: usize = 128;
export const tileBytes: usize = 16384;
/** Four blocks. */
export const groupBytes: usize = 256;

/** Four words at a time. */
abstract class Lanes {
  @inline
  static rotate16(x: v128): v128 {
    return i8x16.swizzle(x, i8x16(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  }

  @inline
  static rotate12(x: v128): v128 {
    return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
  }

  @inline
  static rotate8(x: v128): v128 {
    return i8x16.swizzle(x, i8x16(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
  }

  @inline
  static rotate7(x: v128): v128 {
    return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
  }

  /** A word of the key in all lanes. */
  @inline
  static keyWord(word: usize): v128 {
    return v128.load32_splat(keyPlace + (word << 2));
  }

  @inline
  static addTo(place: usize, stream: v128, flip: v128, halves: bool): void {
    const old = v128.load(place);
    // (x ^ -1) - -1 = -x, (x ^ 0) - 0 = x
    const flipped = v128.xor(stream, flip);
    v128.store(
      place,
      halves ? i16x8.add(old, i16x8.sub(flipped, flip)) : i32x4.add(old, i32x4.sub(flipped, flip)),
    );
  }

  /** Words w to w + 3 of the stream, from four vectors that hold one of them each, to their places in four blocks. */
  @inline
  static addRow(place: usize, w0: v128, w1: v128, w2: v128, w3: v128, flip: v128, halves: bool): void {
    const low01 = v128.shuffle<i32>(w0, w1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(w2, w3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(w0, w1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(w2, w3, 2, 6, 3, 7);
    Lanes.addTo(place, v128.shuffle<i64>(low01, low23, 0, 2), flip, halves);
    Lanes.addTo(place + 64, v128.shuffle<i64>(low01, low23, 1, 3), flip, halves);
    Lanes.addTo(place + 128, v128.shuffle<i64>(high01, high23, 0, 2), flip, halves);
    Lanes.addTo(place + 192, v128.shuffle<i64>(high01, high23, 1, 3), flip, halves);
  }
}

/** Adds the stream from `block` on, `sign` 1 or -1 times, to `groups` groups of the tile. */
export function add(block: u32, groups: u32, sign: i32, halves: bool): void {
  const flip = i32x4.splat(sign >> 31);
  let counter = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let place = tilePlace;
  for (let group: u32 = 0; group < groups; group++) {
    let a0 = i32x4.splat(0x61707865);
    let a1 = i32x4.splat(0x3320646e);
    let a2 = i32x4.splat(0x79622d32);
    let a3 = i32x4.splat(0x6b206574);
    let b0 = Lanes.keyWord(0);
    let b1 = Lanes.keyWord(1);
    let b2 = Lanes.keyWord(2);
    let b3 = Lanes.keyWord(3);
    let c0 = Lanes.keyWord(4);
    let c1 = Lanes.keyWord(5);
    let c2 = Lanes.keyWord(6);
    let c3 = Lanes.keyWord(7);
    let d0 = counter;
    let d1 = i32x4.splat(0);
    let d2 = d1;
    let d3 = d1;
    for (let round = 0; round < 20; round += 2) {
      // Columns.
      a0 = i32x4.add(a0, b0);
      d0 = Lanes.rotate16(v128.xor(d0, a0));
      c0 = i32x4.add(c0, d0);
      b0 = Lanes.rotate12(v128.xor(b0, c0));
      a0 = i32x4.add(a0, b0);
      d0 = Lanes.rotate8(v128.xor(d0, a0));
      c0 = i32x4.add(c0, d0);
      b0 = Lanes.rotate7(v128.xor(b0, c0));
      a1 = i32x4.add(a1, b1);
      d1 = Lanes.rotate16(v128.xor(d1, a1));
      c1 = i32x4.add(c1, d1);
      b1 = Lanes.rotate12(v128.xor(b1, c1));
      a1 = i32x4.add(a1, b1);
      d1 = Lanes.rotate8(v128.xor(d1, a1));
      c1 = i32x4.add(c1, d1);
      b1 = Lanes.rotate7(v128.xor(b1, c1));
      a2 = i32x4.add(a2, b2);
      d2 = Lanes.rotate16(v128.xor(d2, a2));
      c2 = i32x4.add(c2, d2);
      b2 = Lanes.rotate12(v128.xor(b2, c2));
      a2 = i32x4.add(a2, b2);
      d2 = Lanes.rotate8(v128.xor(d2, a2));
      c2 = i32x4.add(c2, d2);
      b2 = Lanes.rotate7(v128.xor(b2, c2));
      a3 = i32x4.add(a3, b3);
      d3 = Lanes.rotate16(v128.xor(d3, a3));
      c3 = i32x4.add(c3, d3);
      b3 = Lanes.rotate12(v128.xor(b3, c3));
      a3 = i32x4.add(a3, b3);
      d3 = Lanes.rotate8(v128.xor(d3, a3));
      c3 = i32x4.add(c3, d3);
      b3 = Lanes.rotate7(v128.xor(b3, c3));
      // Diagonals.
      a0 = i32x4.add(a0, b1);
      d3 = Lanes.rotate16(v128.xor(d3, a0));
      c2 = i32x4.add(c2, d3);
      b1 = Lanes.rotate12(v128.xor(b1, c2));
      a0 = i32x4.add(a0, b1);
      d3 = Lanes.rotate8(v128.xor(d3, a0));
      c2 = i32x4.add(c2, d3);
      b1 = Lanes.rotate7(v128.xor(b1, c2));
      a1 = i32x4.add(a1, b2);
      d0 = Lanes.rotate16(v128.xor(d0, a1));
      c3 = i32x4.add(c3, d0);
      b2 = Lanes.rotate12(v128.xor(b2, c3));
      a1 = i32x4.add(a1, b2);
      d0 = Lanes.rotate8(v128.xor(d0, a1));
      c3 = i32x4.add(c3, d0);
      b2 = Lanes.rotate7(v128.xor(b2, c3));
      a2 = i32x4.add(a2, b3);
      d1 = Lanes.rotate16(v128.xor(d1, a2));
      c0 = i32x4.add(c0, d1);
      b3 = Lanes.rotate12(v128.xor(b3, c0));
      a2 = i32x4.add(a2, b3);
      d1 = Lanes.rotate8(v128.xor(d1, a2));
      c0 = i32x4.add(c0, d1);
      b3 = Lanes.rotate7(v128.xor(b3, c0));
      a3 = i32x4.add(a3, b0);
      d2 = Lanes.rotate16(v128.xor(d2, a3));
      c1 = i32x4.add(c1, d2);
      b0 = Lanes.rotate12(v128.xor(b0, c1));
      a3 = i32x4.add(a3, b0);
      d2 = Lanes.rotate8(v128.xor(d2, a3));
      c1 = i32x4.add(c1, d2);
      b0 = Lanes.rotate7(v128.xor(b0, c1));
    }
    a0 = i32x4.add(a0, i32x4.splat(0x61707865));
    a1 = i32x4.add(a1, i32x4.splat(0x3320646e));
    a2 = i32x4.add(a2, i32x4.splat(0x79622d32));
    a3 = i32x4.add(a3, i32x4.splat(0x6b206574));
    Lanes.addRow(place, a0, a1, a2, a3, flip, halves);
    Lanes.addRow(
      place + 16,
      i32x4.add(b0, Lanes.keyWord(0)),
      i32x4.add(b1, Lanes.keyWord(1)),
      i32x4.add(b2, Lanes.keyWord(2)),
      i32x4.add(b3, Lanes.keyWord(3)),
      flip,
      halves,
    );
    Lanes.addRow(
      place + 32,
      i32x4.add(c0, Lanes.keyWord(4)),
      i32x4.add(c1, Lanes.keyWord(5)),
      i32x4.add(c2, Lanes.keyWord(6)),
      i32x4.add(c3, Lanes.keyWord(7)),
      flip,
      halves,
    );
    Lanes.addRow(place + 48, i32x4.add(d0, counter), d1, d2, d3, flip, halves);
    counter = i32x4.add(counter, i32x4.splat(4));
    place += groupBytes;
  }
}
