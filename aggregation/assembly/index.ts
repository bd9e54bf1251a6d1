/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */

/**
 * Exact sums of float32 vectors in fixed point, tile by tile: lanes += weight * round(x * scale), halves away from zero.
 * The scale is a power of two from 1 on, so y = x * scale is exact in float32. So are its whole part, what
 * is left of it, twice that, and their sum: from 2^23 on a float32 has no fraction.
 */

/** Values of a tile: with their sums they stay in the second cache. */
export const tileValues: u32 = 4096;
/** Where the sums lie: float64. */
export const lanesPlace: usize = 1024;
/** Where the values lie: float32, padded with zeros to a multiple of four. */
export const valuesPlace: usize = 1024 + 4096 * 8;

abstract class Lanes {
  /** round(x * scale) of four values: the whole part, and one more where the rest is a half or above. */
  @inline
  static integers(x: v128, scale: v128): v128 {
    const y = f32x4.mul(x, scale);
    const whole = f32x4.trunc(y);
    const rest = f32x4.sub(y, whole);
    return f32x4.add(whole, f32x4.trunc(f32x4.add(rest, rest)));
  }

  /** Adds weight * two integers to two sums. */
  @inline
  static add(lanes: usize, integers: v128, weight: v128): void {
    const times = f64x2.mul(f64x2.promote_low_f32x4(integers), weight);
    v128.store(lanes, f64x2.add(v128.load(lanes), times));
  }

  /** By comparison: a maximum that minds NaN takes four times as long. */
  @inline
  static within(x: v128, most: v128): v128 {
    return f32x4.le(f32x4.abs(x), most);
  }
}

/**
 * Adds a tile. False where a magnitude is above `clip` or a value is not a number: the sums are then of no use.
 */
export function fold(count: u32, scaleOnce: f32, weightOnce: f64, clip: f32): bool {
  const scale = f32x4.splat(scaleOnce);
  const weight = f64x2.splat(weightOnce);
  const most = f32x4.splat(clip);
  let within = i32x4.splat(-1);
  let lanes = lanesPlace;
  const end = valuesPlace + (count << 2);
  for (let place = valuesPlace; place < end; place += 16) {
    const x = v128.load(place);
    within = v128.and(within, Lanes.within(x, most));
    const integers = Lanes.integers(x, scale);
    Lanes.add(lanes, integers, weight);
    Lanes.add(lanes + 16, v128.shuffle<i64>(integers, integers, 1, 0), weight);
    lanes += 32;
  }
  return i32x4.all_true(within);
}

/** Whether all magnitudes are at most `clip`: false, too, where a value is not a number. */
export function isWithin(count: u32, clip: f32): bool {
  const most = f32x4.splat(clip);
  let within = i32x4.splat(-1);
  const end = valuesPlace + (count << 2);
  for (let place = valuesPlace; place < end; place += 16) {
    within = v128.and(within, Lanes.within(v128.load(place), most));
  }
  return i32x4.all_true(within);
}
