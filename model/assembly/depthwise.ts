/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */
import { Lanes, storePart } from './lanes';

/** Each channel by its own filter, four channels at a time; taps outside of the image are left out. */
abstract class Taps {
  /** The first tap that meets the image, where a window starts `before` ahead of it. */
  @inline
  static first(start: i32): i32 {
    return max<i32>(0, -start);
  }

  @inline
  static end(start: i32, size: i32, length: i32): i32 {
    return min<i32>(size, length - start);
  }
}

function put(place: usize, value: v128, left: usize): void {
  if (left >= 4) v128.store(place, value);
  else storePart(place, value, left);
}

export function depthwise(
  x: usize,
  filter: usize,
  y: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outHeight: i32,
  outWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
): void {
  const pixel = channels << 2;
  for (let n = 0; n < batch; n++, x += usize(height * width * pixel))
    for (let oy = 0; oy < outHeight; oy++) {
      const startRow = oy * strideHeight - padTop;
      const endRow = Taps.end(startRow, filterHeight, height);
      for (let ox = 0; ox < outWidth; ox++, y += usize(pixel)) {
        const start = ox * strideWidth - padLeft;
        const first = Taps.first(start);
        const end = Taps.end(start, filterWidth, width);
        for (let c = 0; c < pixel; c += 16) {
          let sum = f32x4.splat(0);
          for (let i = Taps.first(startRow); i < endRow; i++) {
            let a = x + usize(((startRow + i) * width + start + first) * pixel + c);
            let b = filter + usize((i * filterWidth + first) * pixel + c);
            for (let j = first; j < end; j++, a += usize(pixel), b += usize(pixel))
              sum = Lanes.multiplyAdd(v128.load(a), v128.load(b), sum);
          }
          put(y + usize(c), sum, usize(channels - (c >> 2)));
        }
      }
    }
}

/** Each pixel of the image collects from the windows that it lies in. */
export function depthwiseInputGradient(
  d: usize,
  filter: usize,
  x: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outHeight: i32,
  outWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
): void {
  const pixel = channels << 2;
  for (let n = 0; n < batch; n++, d += usize(outHeight * outWidth * pixel))
    for (let h = 0; h < height; h++)
      for (let w = 0; w < width; w++, x += usize(pixel)) {
        const down = h + padTop;
        const across = w + padLeft;
        for (let c = 0; c < pixel; c += 16) {
          let sum = f32x4.splat(0);
          for (let i = down % strideHeight; i < filterHeight && i <= down; i += strideHeight) {
            const oy = (down - i) / strideHeight;
            if (oy >= outHeight) continue;
            for (let j = across % strideWidth; j < filterWidth && j <= across; j += strideWidth) {
              const ox = (across - j) / strideWidth;
              if (ox >= outWidth) continue;
              const a = d + usize((oy * outWidth + ox) * pixel + c);
              const b = filter + usize((i * filterWidth + j) * pixel + c);
              sum = Lanes.multiplyAdd(v128.load(a), v128.load(b), sum);
            }
          }
          put(x + usize(c), sum, usize(channels - (c >> 2)));
        }
      }
}

/** One tap of four channels at a time, summed over each row, then over rows, then over images. */
export function depthwiseFilterGradient(
  x: usize,
  d: usize,
  filter: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outHeight: i32,
  outWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
): void {
  const pixel = channels << 2;
  for (let i = 0; i < filterHeight; i++)
    for (let j = 0; j < filterWidth; j++, filter += usize(pixel))
      for (let c = 0; c < pixel; c += 16) {
        let total = f32x4.splat(0);
        for (let n = 0; n < batch; n++) {
          let sum = f32x4.splat(0);
          for (let oy = 0; oy < outHeight; oy++) {
            const h = oy * strideHeight + i - padTop;
            if (h < 0 || h >= height) continue;
            const row = x + usize((n * height + h) * width * pixel + c);
            const own = d + usize((n * outHeight + oy) * outWidth * pixel + c);
            let ofRow = f32x4.splat(0);
            for (let ox = 0; ox < outWidth; ox++) {
              const w = ox * strideWidth + j - padLeft;
              if (w < 0 || w >= width) continue;
              ofRow = Lanes.multiplyAdd(
                v128.load(row + usize(w * pixel)),
                v128.load(own + usize(ox * pixel)),
                ofRow,
              );
            }
            sum = f32x4.add(sum, ofRow);
          }
          total = f32x4.add(total, sum);
        }
        put(filter + usize(c), total, usize(channels - (c >> 2)));
      }
}
