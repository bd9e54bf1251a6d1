/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */

/** Four f32 values at a time. Kernels may read up to 28 bytes behind an operand, but never write there. */
export abstract class Lanes {
  /** a * b + c; rounded once where the relaxed build's processor can, twice in the strict build. */
  @inline
  static multiplyAdd(a: v128, b: v128, c: v128): v128 {
    if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<f32>(a, b, c);
    return f32x4.add(c, f32x4.mul(a, b));
  }

  /** All ones in the first `many` lanes, zeros in the rest. */
  @inline
  static first(many: usize): v128 {
    return i32x4.gt_s(i32x4.splat(i32(many)), i32x4(0, 1, 2, 3));
  }

  @inline
  static sum(a: v128): f32 {
    const pairs = f32x4.add(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
    return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
  }
}

/** Stores the first `many` lanes, 1 to 3. */
export function storePart(place: usize, value: v128, many: usize): void {
  if (many >= 2) {
    v128.store64_lane(place, value, 0);
    if (many === 3) v128.store32_lane(place, value, 2, 8);
  } else v128.store32_lane(place, value, 0);
}

export function fill(to: usize, many: usize, value: f32): void {
  const all = f32x4.splat(value);
  for (; many >= 4; many -= 4, to += 16) v128.store(to, all);
  if (many > 0) storePart(to, all, many);
}

/** Copies `many` floats; faster than `memory.copy` for short rows. */
export function copy(to: usize, from: usize, many: usize): void {
  if (many >= 64) {
    memory.copy(to, from, many << 2);
    return;
  }
  for (; many >= 4; many -= 4, to += 16, from += 16) v128.store(to, v128.load(from));
  if (many > 0) storePart(to, v128.load(from), many);
}
