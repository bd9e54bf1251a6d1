/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */
import { Functions } from './functions';
import { fill, Lanes, storePart } from './lanes';

abstract class Logits {
  @inline
  static largest(x: usize, many: usize): f32 {
    let largest = v128.load32_splat(x);
    for (; many >= 4; many -= 4, x += 16) largest = f32x4.pmax(largest, v128.load(x));
    if (many > 0) largest = f32x4.pmax(largest, v128.bitselect(v128.load(x), largest, Lanes.first(many)));
    const pairs = f32x4.pmax(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1));
    const all = f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2));
    return f32x4.extract_lane(all, 0);
  }
}

/** Rows of [many, rows, columns]; where it is causal, row i of `rows` sees columns up to i + columns - rows. */
export function softmax(x: usize, y: usize, many: usize, rows: usize, columns: usize, causal: bool): void {
  const step = columns << 2;
  for (; many > 0; many--)
    for (let row: usize = 0; row < rows; row++, x += step, y += step) {
      let visible = columns;
      if (causal) {
        visible = row + 1 + columns > rows ? row + 1 + columns - rows : 0;
        fill(y + (visible << 2), columns - visible, 0);
        if (visible === 0) continue;
      }
      const largest = f32x4.splat(Logits.largest(x, visible));
      let sum = f32x4.splat(0);
      let at: usize = 0;
      for (let left = visible; left > 0; at += 16) {
        const value = Functions.exp(f32x4.sub(v128.load(x + at), largest));
        if (left < 4) {
          sum = f32x4.add(sum, v128.and(value, Lanes.first(left)));
          storePart(y + at, value, left);
          break;
        }
        sum = f32x4.add(sum, value);
        v128.store(y + at, value);
        left -= 4;
      }
      const share = f32x4.splat(1 / Lanes.sum(sum));
      at = 0;
      for (let left = visible; left > 0; at += 16) {
        const value = f32x4.mul(v128.load(y + at), share);
        if (left < 4) {
          storePart(y + at, value, left);
          break;
        }
        v128.store(y + at, value);
        left -= 4;
      }
    }
}

/** log sum exp(x) - x[label], shifted by the largest logit. */
export function crossEntropy(x: usize, labels: usize, y: usize, rows: usize, columns: usize): void {
  const step = columns << 2;
  for (; rows > 0; rows--, x += step, labels += 4, y += 4) {
    const most = Logits.largest(x, columns);
    const largest = f32x4.splat(most);
    let sum = f32x4.splat(0);
    let at = x;
    for (let left = columns; left > 0; at += 16) {
      const value = Functions.exp(f32x4.sub(v128.load(at), largest));
      if (left < 4) {
        sum = f32x4.add(sum, v128.and(value, Lanes.first(left)));
        break;
      }
      sum = f32x4.add(sum, value);
      left -= 4;
    }
    const whole = f32x4.extract_lane(Functions.log(f32x4.splat(Lanes.sum(sum))), 0);
    const label = usize(load<f32>(labels));
    store<f32>(y, whole + (most - load<f32>(x + (label << 2))));
  }
}

export function oneHot(labels: usize, y: usize, rows: usize, columns: usize): void {
  fill(y, rows * columns, 0);
  for (; rows > 0; rows--, labels += 4, y += columns << 2) store<f32>(y + (usize(load<f32>(labels)) << 2), 1);
}
