import { fill, storePart } from './lanes';

/** Where in its example the first maximum of each window lies, four channels at a time; indices are exact below 2^24. */
export function maxPoolIndex(
  x: usize,
  y: usize,
  batch: usize,
  imageHeight: usize,
  imageWidth: usize,
  channels: usize,
  height: usize,
  width: usize,
  strideHeight: usize,
  strideWidth: usize,
  outHeight: usize,
  outWidth: usize,
): void {
  const row = imageWidth * channels;
  for (let n: usize = 0; n < batch; n++, x += (imageHeight * row) << 2)
    for (let h: usize = 0; h < outHeight; h++)
      for (let w: usize = 0; w < outWidth; w++) {
        const corner = h * strideHeight * row + w * strideWidth * channels;
        for (let c: usize = 0; c < channels; c += 4) {
          const first = f32x4.add(f32x4.splat(f32(corner + c)), f32x4(0, 1, 2, 3));
          let best = first;
          let largest = v128.load(x + ((corner + c) << 2));
          for (let i: usize = 0; i < height; i++)
            for (let j: usize = 0; j < width; j++) {
              const away = i * row + j * channels;
              const value = v128.load(x + ((corner + c + away) << 2));
              const isLarger = f32x4.gt(value, largest);
              best = v128.bitselect(f32x4.add(first, f32x4.splat(f32(away))), best, isLarger);
              largest = v128.bitselect(value, largest, isLarger);
            }
          if (channels - c < 4) {
            storePart(y, best, channels - c);
            y += (channels - c) << 2;
          } else {
            v128.store(y, best);
            y += 16;
          }
        }
      }
}

/** x [batch, size], index [batch, many] -> [batch, many] */
export function gather(x: usize, index: usize, y: usize, batch: usize, size: usize, many: usize): void {
  for (; batch > 0; batch--, x += size << 2) {
    let left = many;
    for (; left >= 4; left -= 4, index += 16, y += 16) {
      const at = i32x4.shl(i32x4.trunc_sat_f32x4_s(v128.load(index)), 2);
      store<f32>(y, load<f32>(x + usize(i32x4.extract_lane(at, 0))));
      store<f32>(y, load<f32>(x + usize(i32x4.extract_lane(at, 1))), 4);
      store<f32>(y, load<f32>(x + usize(i32x4.extract_lane(at, 2))), 8);
      store<f32>(y, load<f32>(x + usize(i32x4.extract_lane(at, 3))), 12);
    }
    for (; left > 0; left--, index += 4, y += 4) store<f32>(y, load<f32>(x + (usize(load<f32>(index)) << 2)));
  }
}

function addTo(place: usize, value: f32): void {
  store<f32>(place, load<f32>(place) + value);
}

/** d [batch, many], index [batch, many] -> [batch, size] */
export function scatter(d: usize, index: usize, y: usize, batch: usize, size: usize, many: usize): void {
  fill(y, batch * size, 0);
  for (; batch > 0; batch--, y += size << 2) {
    let left = many;
    for (; left >= 4; left -= 4, index += 16, d += 16) {
      const at = i32x4.shl(i32x4.trunc_sat_f32x4_s(v128.load(index)), 2);
      addTo(y + usize(i32x4.extract_lane(at, 0)), load<f32>(d));
      addTo(y + usize(i32x4.extract_lane(at, 1)), load<f32>(d, 4));
      addTo(y + usize(i32x4.extract_lane(at, 2)), load<f32>(d, 8));
      addTo(y + usize(i32x4.extract_lane(at, 3)), load<f32>(d, 12));
    }
    for (; left > 0; left--, index += 4, d += 4) addTo(y + (usize(load<f32>(index)) << 2), load<f32>(d));
  }
}

export function averagePool(
  x: usize,
  y: usize,
  batch: usize,
  imageHeight: usize,
  imageWidth: usize,
  channels: usize,
  height: usize,
  width: usize,
  strideHeight: usize,
  strideWidth: usize,
  outHeight: usize,
  outWidth: usize,
): void {
  const row = (imageWidth * channels) << 2;
  const pixel = channels << 2;
  const share = f32x4.splat(1 / f32(height * width));
  for (let n: usize = 0; n < batch; n++, x += imageHeight * row)
    for (let h: usize = 0; h < outHeight; h++)
      for (let w: usize = 0; w < outWidth; w++) {
        const corner = x + h * strideHeight * row + w * strideWidth * pixel;
        for (let c: usize = 0; c < channels; c += 4) {
          let sum = f32x4.splat(0);
          for (let i: usize = 0; i < height; i++) {
            let place = corner + (c << 2) + i * row;
            let ofRow = f32x4.splat(0);
            for (let j: usize = 0; j < width; j++, place += pixel) ofRow = f32x4.add(ofRow, v128.load(place));
            sum = f32x4.add(sum, ofRow);
          }
          const value = f32x4.mul(sum, share);
          if (channels - c < 4) {
            storePart(y, value, channels - c);
            y += (channels - c) << 2;
          } else {
            v128.store(y, value);
            y += 16;
          }
        }
      }
}

export function averagePoolGradient(
  d: usize,
  y: usize,
  batch: usize,
  imageHeight: usize,
  imageWidth: usize,
  channels: usize,
  height: usize,
  width: usize,
  strideHeight: usize,
  strideWidth: usize,
  outHeight: usize,
  outWidth: usize,
): void {
  const row = (imageWidth * channels) << 2;
  const pixel = channels << 2;
  const share = f32x4.splat(1 / f32(height * width));
  fill(y, batch * imageHeight * imageWidth * channels, 0);
  for (let n: usize = 0; n < batch; n++, y += imageHeight * row)
    for (let h: usize = 0; h < outHeight; h++)
      for (let w: usize = 0; w < outWidth; w++, d += pixel) {
        const corner = y + h * strideHeight * row + w * strideWidth * pixel;
        for (let c: usize = 0; c < channels; c += 4) {
          const value = f32x4.mul(v128.load(d + (c << 2)), share);
          const left = channels - c;
          for (let i: usize = 0; i < height; i++) {
            let place = corner + (c << 2) + i * row;
            for (let j: usize = 0; j < width; j++, place += pixel) {
              const sum = f32x4.add(v128.load(place), value);
              if (left < 4) storePart(place, sum, left);
              else v128.store(place, sum);
            }
          }
        }
      }
}
