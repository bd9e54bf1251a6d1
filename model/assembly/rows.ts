/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */
import { copy, fill, Lanes, storePart } from './lanes';

/** Rows of [rows, columns] with one row [columns] or one column [rows]; `kind` is a constant where it is inlined. */
enum WithRow {
  add,
  addPositive,
  multiply,
}

abstract class Rows {
  @inline
  static withRow(kind: WithRow, a: usize, row: usize, y: usize, rows: usize, columns: usize): void {
    const whole = columns & ~3;
    const rest = columns & 3;
    for (; rows > 0; rows--) {
      let b = row;
      for (const end = b + (whole << 2); b < end; b += 16, a += 16, y += 16)
        v128.store(y, Rows.apply(kind, v128.load(a), v128.load(b)));
      if (rest === 0) continue;
      storePart(y, Rows.apply(kind, v128.load(a), v128.load(b)), rest);
      a += rest << 2;
      y += rest << 2;
    }
  }

  @inline
  static apply(kind: WithRow, a: v128, b: v128): v128 {
    if (kind === WithRow.add) return f32x4.add(a, b);
    if (kind === WithRow.addPositive) return f32x4.pmax(f32x4.splat(0), f32x4.add(a, b));
    return f32x4.mul(a, b);
  }

  /** Sums over blocks of 64 rows, then over blocks, so that rounding does not grow with the number of rows. */
  @inline
  static downColumns(isDot: bool, a: usize, b: usize, y: usize, rows: usize, columns: usize): void {
    const step = columns << 2;
    let c: usize = 0;
    for (; c + 16 <= columns; c += 16) {
      let t0 = f32x4.splat(0);
      let t1 = t0;
      let t2 = t0;
      let t3 = t0;
      let p = a + (c << 2);
      let q = b + (c << 2);
      for (let first: usize = 0; first < rows; first += 64) {
        let s0 = f32x4.splat(0);
        let s1 = s0;
        let s2 = s0;
        let s3 = s0;
        for (let row = min<usize>(rows - first, 64); row > 0; row--) {
          s0 = Rows.sum(isDot, p, q, s0);
          s1 = Rows.sum(isDot, p + 16, q + 16, s1);
          s2 = Rows.sum(isDot, p + 32, q + 32, s2);
          s3 = Rows.sum(isDot, p + 48, q + 48, s3);
          p += step;
          q += step;
        }
        t0 = f32x4.add(t0, s0);
        t1 = f32x4.add(t1, s1);
        t2 = f32x4.add(t2, s2);
        t3 = f32x4.add(t3, s3);
      }
      const to = y + (c << 2);
      v128.store(to, t0);
      v128.store(to, t1, 16);
      v128.store(to, t2, 32);
      v128.store(to, t3, 48);
    }
    for (; c < columns; c += 4) {
      let total = f32x4.splat(0);
      let p = a + (c << 2);
      let q = b + (c << 2);
      for (let first: usize = 0; first < rows; first += 64) {
        let sum = f32x4.splat(0);
        for (let row = min<usize>(rows - first, 64); row > 0; row--) {
          sum = Rows.sum(isDot, p, q, sum);
          p += step;
          q += step;
        }
        total = f32x4.add(total, sum);
      }
      if (columns - c >= 4) v128.store(y + (c << 2), total);
      else storePart(y + (c << 2), total, columns - c);
    }
  }

  @inline
  static sum(isDot: bool, a: usize, b: usize, sum: v128): v128 {
    if (isDot) return Lanes.multiplyAdd(v128.load(a), v128.load(b), sum);
    return f32x4.add(v128.load(a), sum);
  }

  /** Sixteen partial sums. */
  @inline
  static along(isDot: bool, a: usize, b: usize, many: usize): f32 {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (; many >= 16; many -= 16, a += 64, b += 64) {
      s0 = Rows.sum(isDot, a, b, s0);
      s1 = Rows.sum(isDot, a + 16, b + 16, s1);
      s2 = Rows.sum(isDot, a + 32, b + 32, s2);
      s3 = Rows.sum(isDot, a + 48, b + 48, s3);
    }
    for (; many >= 4; many -= 4, a += 16, b += 16) s0 = Rows.sum(isDot, a, b, s0);
    if (many > 0) {
      let last = v128.load(a);
      if (isDot) last = f32x4.mul(last, v128.load(b));
      s1 = f32x4.add(s1, v128.and(last, Lanes.first(many)));
    }
    return Lanes.sum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  }
}

export function addRow(a: usize, row: usize, y: usize, rows: usize, columns: usize): void {
  Rows.withRow(WithRow.add, a, row, y, rows, columns);
}

export function addRowPositive(a: usize, row: usize, y: usize, rows: usize, columns: usize): void {
  Rows.withRow(WithRow.addPositive, a, row, y, rows, columns);
}

export function multiplyRow(a: usize, row: usize, y: usize, rows: usize, columns: usize): void {
  Rows.withRow(WithRow.multiply, a, row, y, rows, columns);
}

export function repeatRow(row: usize, y: usize, rows: usize, columns: usize): void {
  for (; rows > 0; rows--, y += columns << 2) copy(y, row, columns);
}

export function columnSum(a: usize, y: usize, rows: usize, columns: usize): void {
  Rows.downColumns(false, a, a, y, rows, columns);
}

export function columnDot(a: usize, b: usize, y: usize, rows: usize, columns: usize): void {
  Rows.downColumns(true, a, b, y, rows, columns);
}

export function multiplyColumn(a: usize, column: usize, y: usize, rows: usize, columns: usize): void {
  const whole = columns & ~3;
  const rest = columns & 3;
  for (; rows > 0; rows--, column += 4) {
    const factor = v128.load32_splat(column);
    for (const end = y + (whole << 2); y < end; a += 16, y += 16)
      v128.store(y, f32x4.mul(v128.load(a), factor));
    if (rest === 0) continue;
    storePart(y, f32x4.mul(v128.load(a), factor), rest);
    a += rest << 2;
    y += rest << 2;
  }
}

export function repeatColumn(column: usize, y: usize, rows: usize, columns: usize): void {
  for (; rows > 0; rows--, column += 4, y += columns << 2) fill(y, columns, load<f32>(column));
}

export function rowSum(a: usize, y: usize, rows: usize, columns: usize): void {
  for (; rows > 0; rows--, a += columns << 2, y += 4) store<f32>(y, Rows.along(false, a, a, columns));
}

export function rowDot(a: usize, b: usize, y: usize, rows: usize, columns: usize): void {
  const step = columns << 2;
  for (; rows > 0; rows--, a += step, b += step, y += 4) store<f32>(y, Rows.along(true, a, b, columns));
}

/** Blocks of 1024 products, added in f64. */
export function dot(a: usize, b: usize, y: usize, many: usize): void {
  let total: f64 = 0;
  for (; many > 0;) {
    const block = min<usize>(many, 1024);
    total += f64(Rows.along(true, a, b, block));
    a += block << 2;
    b += block << 2;
    many -= block;
  }
  store<f32>(y, f32(total));
}
