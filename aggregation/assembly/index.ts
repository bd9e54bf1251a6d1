/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */

/**
 * Exact sums of float32 vectors in fixed point, tile by tile: lanes += weight * round(x * scale), halves away from zero.
 * The scale is a power of two from 1 on, so x * scale is exact in float32. What is added before the fraction is cut off is the
 * largest float32 below a half: where a half would make the sum inexact and carry it up, this does not; a half itself comes
 * to a tie, which goes to the even, whole number above.
 */

/** Values of a tile: four of them and their sums stay in the second cache. */
export const tileValues: u32 = 16384;
/** Where the sums lie: float64. */
export const lanesPlace: usize = 1024;
/** Where the tiles of values lie, one after the other: float32, padded with zeros to a multiple of four. */
export const valuesPlace: usize = 1024 + 16384 * 8;

const tileBytes: usize = 16384 * 4;
const belowHalf: f32 = 0.49999997;

abstract class Lanes {
  /** round(x * scale) of four values. */
  @inline
  static integers(x: v128, scale: v128): v128 {
    const y = f32x4.mul(x, scale);
    const half = v128.or(v128.and(y, i32x4.splat(i32.MIN_VALUE)), f32x4.splat(belowHalf));
    return f32x4.trunc(f32x4.add(y, half));
  }

  /** weight * the first two integers. */
  @inline
  static low(integers: v128, weight: v128): v128 {
    return f64x2.mul(f64x2.promote_low_f32x4(integers), weight);
  }

  /** weight * the last two. */
  @inline
  static high(integers: v128, weight: v128): v128 {
    return f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i64>(integers, integers, 1, 0)), weight);
  }

  @inline
  static add(place: usize, sum: v128): void {
    v128.store(place, f64x2.add(v128.load(place), sum));
  }

  /** The larger magnitudes, as the integers that their bits are: what is not a number is above all others. */
  @inline
  static largest(largest: v128, x: v128): v128 {
    return i32x4.max_u(largest, v128.and(x, i32x4.splat(i32.MAX_VALUE)));
  }

  @inline
  static within(largest: v128, clip: f32): bool {
    return i32x4.all_true(i32x4.le_u(largest, f32x4.splat(clip)));
  }
}

/** Adds a tile. False where a magnitude is above `clip` or a value is not a number: the sums are then of no use. */
export function fold(count: u32, scaleOnce: f32, clip: f32, weightOnce: f64): bool {
  const scale = f32x4.splat(scaleOnce);
  const weight = f64x2.splat(weightOnce);
  let largest = i32x4.splat(0);
  let lanes = lanesPlace;
  const end = valuesPlace + (count << 2);
  for (let place = valuesPlace; place < end; place += 16) {
    const x = v128.load(place);
    largest = Lanes.largest(largest, x);
    const integers = Lanes.integers(x, scale);
    Lanes.add(lanes, Lanes.low(integers, weight));
    Lanes.add(lanes + 16, Lanes.high(integers, weight));
    lanes += 32;
  }
  return Lanes.within(largest, clip);
}

/** Adds four tiles, as {@link fold} does one: the sums are read and written once. */
export function foldFour(
  count: u32,
  scaleOnce: f32,
  clip: f32,
  weight0: f64,
  weight1: f64,
  weight2: f64,
  weight3: f64,
): bool {
  const scale = f32x4.splat(scaleOnce);
  const w0 = f64x2.splat(weight0);
  const w1 = f64x2.splat(weight1);
  const w2 = f64x2.splat(weight2);
  const w3 = f64x2.splat(weight3);
  let largest = i32x4.splat(0);
  let lanes = lanesPlace;
  const end = valuesPlace + (count << 2);
  for (let place = valuesPlace; place < end; place += 16) {
    const x0 = v128.load(place);
    const x1 = v128.load(place + tileBytes);
    const x2 = v128.load(place + 2 * tileBytes);
    const x3 = v128.load(place + 3 * tileBytes);
    largest = Lanes.largest(Lanes.largest(Lanes.largest(Lanes.largest(largest, x0), x1), x2), x3);
    const i0 = Lanes.integers(x0, scale);
    const i1 = Lanes.integers(x1, scale);
    const i2 = Lanes.integers(x2, scale);
    const i3 = Lanes.integers(x3, scale);
    Lanes.add(
      lanes,
      f64x2.add(
        f64x2.add(Lanes.low(i0, w0), Lanes.low(i1, w1)),
        f64x2.add(Lanes.low(i2, w2), Lanes.low(i3, w3)),
      ),
    );
    Lanes.add(
      lanes + 16,
      f64x2.add(
        f64x2.add(Lanes.high(i0, w0), Lanes.high(i1, w1)),
        f64x2.add(Lanes.high(i2, w2), Lanes.high(i3, w3)),
      ),
    );
    lanes += 32;
  }
  return Lanes.within(largest, clip);
}

/** Whether all magnitudes are at most `clip`: false, too, where a value is not a number. */
export function isWithin(count: u32, clip: f32): bool {
  let largest = i32x4.splat(0);
  const end = valuesPlace + (count << 2);
  for (let place = valuesPlace; place < end; place += 16) {
    largest = Lanes.largest(largest, v128.load(place));
  }
  return Lanes.within(largest, clip);
}
