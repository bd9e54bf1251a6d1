/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */
import { Lanes, storePart } from './lanes';

/**
 * The innermost loops of every product: tiles of 4 x 8 or 2 x 16 sums that stay in registers. `b` lies in panels of 8
 * columns, packed one row after the other (Goto and van de Geijn 2008, section 4), or `bStep` bytes apart.
 *
 * The loops are unrolled with an exit after each step rather than in straight lines. A compiler of WebAssembly may move
 * all loads of a straight stretch before its arithmetic, and then runs out of registers: V8 11.3 reaches 56 GFLOP/s with
 * the exits and 35 with straight lines, strict and relaxed alike; with no unrolling 46 strict and 55 relaxed (one core of
 * Zen 5).
 */

/** The place of a row of c that is not there: its sums are dropped. No operand lies at the start of memory. */
export const nowhere: usize = 0;

/** Where a tile's sums go: over what is there, or added to it. */
abstract class Sums {
  @inline
  static put(c: usize, low: v128, high: v128, columns: usize, adds: bool): void {
    if (columns < 8) putPart(c, low, high, columns, adds);
    else if (adds) {
      v128.store(c, f32x4.add(v128.load(c), low));
      v128.store(c, f32x4.add(v128.load(c, 16), high), 16);
    } else {
      v128.store(c, low);
      v128.store(c, high, 16);
    }
  }
}

function putPart(c: usize, low: v128, high: v128, columns: usize, adds: bool): void {
  if (columns >= 4) {
    v128.store(c, adds ? f32x4.add(v128.load(c), low) : low);
    low = high;
    c += 16;
    columns -= 4;
  }
  if (columns > 0) storePart(c, adds ? f32x4.add(v128.load(c), low) : low, columns);
}

/**
 * Four rows of a, given by where they start; each is made of `taps` stretches of `span` values, `tapStep` bytes apart:
 * a row of a matrix is one stretch, a window in an image is one for each row of the filter. Rows of c that are
 * {@link nowhere} come last.
 */
export function tileOfFour(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  taps: usize,
  tapStep: usize,
  span: usize,
  b: usize,
  bStep: usize,
  c0: usize,
  c1: usize,
  c2: usize,
  c3: usize,
  columns: usize,
  adds: bool,
): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  const rounds = (span - 1) >> 1;
  const aToNextTap = tapStep - (rounds << 3);
  for (;;) {
    for (let left = span; ; left -= 2) {
      let b0 = v128.load(b);
      let b1 = v128.load(b, 16);
      b += bStep;
      let x0 = v128.load32_splat(a0);
      let x1 = v128.load32_splat(a1);
      let x2 = v128.load32_splat(a2);
      let x3 = v128.load32_splat(a3);
      s00 = Lanes.multiplyAdd(x0, b0, s00);
      s01 = Lanes.multiplyAdd(x0, b1, s01);
      s10 = Lanes.multiplyAdd(x1, b0, s10);
      s11 = Lanes.multiplyAdd(x1, b1, s11);
      s20 = Lanes.multiplyAdd(x2, b0, s20);
      s21 = Lanes.multiplyAdd(x2, b1, s21);
      s30 = Lanes.multiplyAdd(x3, b0, s30);
      s31 = Lanes.multiplyAdd(x3, b1, s31);
      if (left === 1) break;
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      b += bStep;
      x0 = v128.load32_splat(a0, 4);
      x1 = v128.load32_splat(a1, 4);
      x2 = v128.load32_splat(a2, 4);
      x3 = v128.load32_splat(a3, 4);
      s00 = Lanes.multiplyAdd(x0, b0, s00);
      s01 = Lanes.multiplyAdd(x0, b1, s01);
      s10 = Lanes.multiplyAdd(x1, b0, s10);
      s11 = Lanes.multiplyAdd(x1, b1, s11);
      s20 = Lanes.multiplyAdd(x2, b0, s20);
      s21 = Lanes.multiplyAdd(x2, b1, s21);
      s30 = Lanes.multiplyAdd(x3, b0, s30);
      s31 = Lanes.multiplyAdd(x3, b1, s31);
      if (left === 2) break;
      a0 += 8;
      a1 += 8;
      a2 += 8;
      a3 += 8;
    }
    if (--taps === 0) break;
    a0 += aToNextTap;
    a1 += aToNextTap;
    a2 += aToNextTap;
    a3 += aToNextTap;
  }
  Sums.put(c0, s00, s01, columns, adds);
  if (c1 === nowhere) return;
  Sums.put(c1, s10, s11, columns, adds);
  if (c2 === nowhere) return;
  Sums.put(c2, s20, s21, columns, adds);
  if (c3 === nowhere) return;
  Sums.put(c3, s30, s31, columns, adds);
}

/** As {@link tileOfFour}, for two rows and two panels `toRight` bytes apart, 9 to 16 columns: what is left of rows at the same speed. */
export function tileOfTwo(
  a0: usize,
  a1: usize,
  taps: usize,
  tapStep: usize,
  span: usize,
  b: usize,
  bStep: usize,
  toRight: usize,
  c0: usize,
  c1: usize,
  columns: usize,
  adds: bool,
): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  const rounds = (span - 1) >> 1;
  const aToNextTap = tapStep - (rounds << 3);
  let right = b + toRight;
  for (;;) {
    for (let left = span; ; left -= 2) {
      let b0 = v128.load(b);
      let b1 = v128.load(b, 16);
      let b2 = v128.load(right);
      let b3 = v128.load(right, 16);
      b += bStep;
      right += bStep;
      let x0 = v128.load32_splat(a0);
      let x1 = v128.load32_splat(a1);
      s00 = Lanes.multiplyAdd(x0, b0, s00);
      s01 = Lanes.multiplyAdd(x0, b1, s01);
      s02 = Lanes.multiplyAdd(x0, b2, s02);
      s03 = Lanes.multiplyAdd(x0, b3, s03);
      s10 = Lanes.multiplyAdd(x1, b0, s10);
      s11 = Lanes.multiplyAdd(x1, b1, s11);
      s12 = Lanes.multiplyAdd(x1, b2, s12);
      s13 = Lanes.multiplyAdd(x1, b3, s13);
      if (left === 1) break;
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      b2 = v128.load(right);
      b3 = v128.load(right, 16);
      b += bStep;
      right += bStep;
      x0 = v128.load32_splat(a0, 4);
      x1 = v128.load32_splat(a1, 4);
      s00 = Lanes.multiplyAdd(x0, b0, s00);
      s01 = Lanes.multiplyAdd(x0, b1, s01);
      s02 = Lanes.multiplyAdd(x0, b2, s02);
      s03 = Lanes.multiplyAdd(x0, b3, s03);
      s10 = Lanes.multiplyAdd(x1, b0, s10);
      s11 = Lanes.multiplyAdd(x1, b1, s11);
      s12 = Lanes.multiplyAdd(x1, b2, s12);
      s13 = Lanes.multiplyAdd(x1, b3, s13);
      if (left === 2) break;
      a0 += 8;
      a1 += 8;
    }
    if (--taps === 0) break;
    a0 += aToNextTap;
    a1 += aToNextTap;
  }
  Sums.put(c0, s00, s01, 8, adds);
  Sums.put(c0 + 32, s02, s03, columns - 8, adds);
  if (c1 === nowhere) return;
  Sums.put(c1, s10, s11, 8, adds);
  Sums.put(c1 + 32, s12, s13, columns - 8, adds);
}

/**
 * Four rows that lie side by side, as those of a transposed matrix do: `span` steps of `step` bytes, then on by `rowStep`
 * from where the row began, `rows` times, then on by `imageStep`, `images` times. So the sum runs over all pixels of
 * images, or over the rows of a matrix. The last `4 - many` rows are computed and dropped.
 */
export function tileAcross(
  a: usize,
  step: usize,
  span: usize,
  rowStep: usize,
  rows: usize,
  imageStep: usize,
  images: usize,
  b: usize,
  c: usize,
  cStep: usize,
  many: usize,
  columns: usize,
  adds: bool,
): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  const rounds = (span - 1) >> 1;
  const bToNextRow = (span - (rounds << 1)) << 5;
  for (;;) {
    const image = a;
    for (let row = rows; ; row--) {
      const start = a;
      for (let left = span; ; left -= 2) {
        let b0 = v128.load(b);
        let b1 = v128.load(b, 16);
        let x0 = v128.load32_splat(a);
        let x1 = v128.load32_splat(a, 4);
        let x2 = v128.load32_splat(a, 8);
        let x3 = v128.load32_splat(a, 12);
        a += step;
        s00 = Lanes.multiplyAdd(x0, b0, s00);
        s01 = Lanes.multiplyAdd(x0, b1, s01);
        s10 = Lanes.multiplyAdd(x1, b0, s10);
        s11 = Lanes.multiplyAdd(x1, b1, s11);
        s20 = Lanes.multiplyAdd(x2, b0, s20);
        s21 = Lanes.multiplyAdd(x2, b1, s21);
        s30 = Lanes.multiplyAdd(x3, b0, s30);
        s31 = Lanes.multiplyAdd(x3, b1, s31);
        if (left === 1) break;
        b0 = v128.load(b, 32);
        b1 = v128.load(b, 48);
        x0 = v128.load32_splat(a);
        x1 = v128.load32_splat(a, 4);
        x2 = v128.load32_splat(a, 8);
        x3 = v128.load32_splat(a, 12);
        a += step;
        s00 = Lanes.multiplyAdd(x0, b0, s00);
        s01 = Lanes.multiplyAdd(x0, b1, s01);
        s10 = Lanes.multiplyAdd(x1, b0, s10);
        s11 = Lanes.multiplyAdd(x1, b1, s11);
        s20 = Lanes.multiplyAdd(x2, b0, s20);
        s21 = Lanes.multiplyAdd(x2, b1, s21);
        s30 = Lanes.multiplyAdd(x3, b0, s30);
        s31 = Lanes.multiplyAdd(x3, b1, s31);
        if (left === 2) break;
        b += 64;
      }
      b += bToNextRow;
      if (row === 1) break;
      a = start + rowStep;
    }
    if (--images === 0) break;
    a = image + imageStep;
  }
  Sums.put(c, s00, s01, columns, adds);
  if (many === 1) return;
  Sums.put(c + cStep, s10, s11, columns, adds);
  if (many === 2) return;
  Sums.put(c + 2 * cStep, s20, s21, columns, adds);
  if (many === 3) return;
  Sums.put(c + 3 * cStep, s30, s31, columns, adds);
}

/** Products of two rows of a with four rows of b, both read along the rows: `span` values, which need not be whole vectors. */
export function tileAlong(
  a0: usize,
  a1: usize,
  b0: usize,
  b1: usize,
  b2: usize,
  b3: usize,
  span: usize,
  c0: usize,
  c1: usize,
  columns: usize,
  adds: bool,
): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  for (let left = span >> 2; left > 0; left -= 2) {
    let x0 = v128.load(a0);
    let x1 = v128.load(a1);
    let y0 = v128.load(b0);
    let y1 = v128.load(b1);
    let y2 = v128.load(b2);
    let y3 = v128.load(b3);
    s00 = Lanes.multiplyAdd(x0, y0, s00);
    s01 = Lanes.multiplyAdd(x0, y1, s01);
    s02 = Lanes.multiplyAdd(x0, y2, s02);
    s03 = Lanes.multiplyAdd(x0, y3, s03);
    s10 = Lanes.multiplyAdd(x1, y0, s10);
    s11 = Lanes.multiplyAdd(x1, y1, s11);
    s12 = Lanes.multiplyAdd(x1, y2, s12);
    s13 = Lanes.multiplyAdd(x1, y3, s13);
    if (left === 1) break;
    x0 = v128.load(a0, 16);
    x1 = v128.load(a1, 16);
    y0 = v128.load(b0, 16);
    y1 = v128.load(b1, 16);
    y2 = v128.load(b2, 16);
    y3 = v128.load(b3, 16);
    s00 = Lanes.multiplyAdd(x0, y0, s00);
    s01 = Lanes.multiplyAdd(x0, y1, s01);
    s02 = Lanes.multiplyAdd(x0, y2, s02);
    s03 = Lanes.multiplyAdd(x0, y3, s03);
    s10 = Lanes.multiplyAdd(x1, y0, s10);
    s11 = Lanes.multiplyAdd(x1, y1, s11);
    s12 = Lanes.multiplyAdd(x1, y2, s12);
    s13 = Lanes.multiplyAdd(x1, y3, s13);
    a0 += 32;
    a1 += 32;
    b0 += 32;
    b1 += 32;
    b2 += 32;
    b3 += 32;
  }
  const rest = span & 3;
  if (rest > 0) {
    const on = (span & 4) << 2;
    const mask = Lanes.first(rest);
    const x0 = v128.and(v128.load(a0 + on), mask);
    const x1 = v128.and(v128.load(a1 + on), mask);
    let y = v128.and(v128.load(b0 + on), mask);
    s00 = Lanes.multiplyAdd(x0, y, s00);
    s10 = Lanes.multiplyAdd(x1, y, s10);
    y = v128.and(v128.load(b1 + on), mask);
    s01 = Lanes.multiplyAdd(x0, y, s01);
    s11 = Lanes.multiplyAdd(x1, y, s11);
    y = v128.and(v128.load(b2 + on), mask);
    s02 = Lanes.multiplyAdd(x0, y, s02);
    s12 = Lanes.multiplyAdd(x1, y, s12);
    y = v128.and(v128.load(b3 + on), mask);
    s03 = Lanes.multiplyAdd(x0, y, s03);
    s13 = Lanes.multiplyAdd(x1, y, s13);
  }
  putSums(c0, s00, s01, s02, s03, columns, adds);
  if (c1 !== nowhere) putSums(c1, s10, s11, s12, s13, columns, adds);
}

/** The sums of the lanes of four vectors, side by side. */
function putSums(c: usize, s0: v128, s1: v128, s2: v128, s3: v128, columns: usize, adds: bool): void {
  const p = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 4, 1, 5), v128.shuffle<f32>(s0, s1, 2, 6, 3, 7));
  const q = f32x4.add(v128.shuffle<f32>(s2, s3, 0, 4, 1, 5), v128.shuffle<f32>(s2, s3, 2, 6, 3, 7));
  let sums = f32x4.add(v128.shuffle<f32>(p, q, 0, 1, 4, 5), v128.shuffle<f32>(p, q, 2, 3, 6, 7));
  if (adds) sums = f32x4.add(v128.load(c), sums);
  if (columns >= 4) v128.store(c, sums);
  else storePart(c, sums, columns);
}
