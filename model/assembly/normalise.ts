/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */
import { Lanes, storePart } from './lanes';

/**
 * Rows of [rows, columns] brought to mean 0 and variance 1 (layer normalisation: Ba, Kiros and Hinton 2016, section 3).
 * The mean is taken in two steps, the second over what the first leaves, so that rows far from 0 keep their digits.
 */
abstract class Moments {
  /** Sum of x - rough, or of its square around `fine`. */
  @inline
  static sum(isSquare: bool, x: usize, columns: usize, rough: v128, fine: v128): f32 {
    let sum = f32x4.splat(0);
    for (; columns > 0; x += 16) {
      let centred = f32x4.sub(f32x4.sub(v128.load(x), rough), fine);
      if (isSquare) centred = f32x4.mul(centred, centred);
      if (columns < 4) {
        sum = f32x4.add(sum, v128.and(centred, Lanes.first(columns)));
        break;
      }
      sum = f32x4.add(sum, centred);
      columns -= 4;
    }
    return Lanes.sum(sum);
  }
}

let rough: f32 = 0;
let fine: f32 = 0;
let inverse: f32 = 0;

function findMoments(x: usize, columns: usize, epsilon: f32): void {
  const zero = f32x4.splat(0);
  const many = f32(columns);
  rough = Moments.sum(false, x, columns, zero, zero) / many;
  fine = Moments.sum(false, x, columns, f32x4.splat(rough), zero) / many;
  const variance = Moments.sum(true, x, columns, f32x4.splat(rough), f32x4.splat(fine)) / many;
  inverse = 1 / sqrt<f32>(variance + epsilon);
}

export function normaliseRows(x: usize, y: usize, rows: usize, columns: usize, epsilon: f32): void {
  for (; rows > 0; rows--) {
    findMoments(x, columns, epsilon);
    const m = f32x4.splat(rough);
    const n = f32x4.splat(fine);
    const s = f32x4.splat(inverse);
    let left = columns;
    for (; left >= 4; left -= 4, x += 16, y += 16)
      v128.store(y, f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x), m), n), s));
    if (left === 0) continue;
    storePart(y, f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x), m), n), s), left);
    x += left << 2;
    y += left << 2;
  }
}

/** s (d - mean(d) - z mean(d z)), z the row brought to mean 0 and variance 1 and s its inverse deviation. */
export function normaliseRowsGradient(
  d: usize,
  x: usize,
  y: usize,
  rows: usize,
  columns: usize,
  epsilon: f32,
): void {
  const whole = columns & ~3;
  const rest = columns & 3;
  for (; rows > 0; rows--) {
    findMoments(x, columns, epsilon);
    const m = f32x4.splat(rough);
    const n = f32x4.splat(fine);
    const s = f32x4.splat(inverse);
    let sum = f32x4.splat(0);
    let product = sum;
    for (let at: usize = 0; at < whole << 2; at += 16) {
      const own = v128.load(d + at);
      const z = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + at), m), n), s);
      sum = f32x4.add(sum, own);
      product = Lanes.multiplyAdd(own, z, product);
    }
    const lastX = x + (whole << 2);
    const lastD = d + (whole << 2);
    const z = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(lastX), m), n), s);
    if (rest > 0) {
      const mask = Lanes.first(rest);
      sum = f32x4.add(sum, v128.and(v128.load(lastD), mask));
      product = f32x4.add(product, v128.and(f32x4.mul(v128.load(lastD), z), mask));
    }
    const many = f32(columns);
    const mean = f32x4.splat(Lanes.sum(sum) / many);
    const slope = f32x4.splat(Lanes.sum(product) / many);
    for (let at: usize = 0; at < whole << 2; at += 16) {
      const own = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + at), m), n), s);
      const left = f32x4.sub(f32x4.sub(v128.load(d + at), mean), f32x4.mul(own, slope));
      v128.store(y + at, f32x4.mul(left, s));
    }
    if (rest > 0) {
      const left = f32x4.sub(f32x4.sub(v128.load(lastD), mean), f32x4.mul(z, slope));
      storePart(y + (whole << 2), f32x4.mul(left, s), rest);
    }
    x += columns << 2;
    d += columns << 2;
    y += columns << 2;
  }
}
