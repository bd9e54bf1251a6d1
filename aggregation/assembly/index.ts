/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */

/**
 * Exact sums of float32 vectors in fixed point, tile by tile: lanes += weight * round(x * scale), halves away from zero.
 * A float32 has 24 significant bits and the scale is a power of two, so adding a half before the fraction is cut off is exact
 * wherever it matters, and gives what Math.round of the magnitude gives.
 */

/** Values of a tile: with their sums they stay in the second cache. */
export const tileValues: u32 = 4096;
/** Where the sums lie: float64. */
export const lanesPlace: usize = 1024;
/** Where the values lie: float32, padded with zeros to a multiple of four. */
export const valuesPlace: usize = 1024 + 4096 * 8;

abstract class Lanes {
  /** weight * round(x * scale) of two values. */
  @inline
  static integers(x: v128, scale: v128, weight: v128, half: v128, signs: v128): v128 {
    const scaled = f64x2.mul(x, scale);
    const away = f64x2.add(scaled, v128.or(v128.and(scaled, signs), half));
    return f64x2.mul(f64x2.trunc(away), weight);
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
export function fold(count: u32, scaleOnce: f64, weightOnce: f64, clip: f32): bool {
  const scale = f64x2.splat(scaleOnce);
  const weight = f64x2.splat(weightOnce);
  const half = f64x2.splat(0.5);
  const signs = i64x2.splat(i64.MIN_VALUE);
  const most = f32x4.splat(clip);
  let within = i32x4.splat(-1);
  let lanes = lanesPlace;
  const end = valuesPlace + (count << 2);
  for (let place = valuesPlace; place < end; place += 16) {
    const x = v128.load(place);
    within = v128.and(within, Lanes.within(x, most));
    const low = f64x2.promote_low_f32x4(x);
    const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0));
    v128.store(lanes, f64x2.add(v128.load(lanes), Lanes.integers(low, scale, weight, half, signs)));
    v128.store(
      lanes + 16,
      f64x2.add(v128.load(lanes + 16), Lanes.integers(high, scale, weight, half, signs)),
    );
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
