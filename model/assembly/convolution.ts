import { padImages } from './images';
import { fill } from './lanes';
import { multiplyTwo } from './matmul';
import { pack, packTransposed, panelRow } from './pack';
import { nowhere, tileAcross, tileOfFour } from './tiles';

/**
 * Convolutions as products of matrices that are never written down: in a padded image of layout HWC a window is a few
 * stretches of memory, one for each row of the filter, and tiles read them where they lie. Images are padded and
 * multiplied a group at a time; a table says where the window of each pixel starts and where its result goes.
 */

/** Terms that are summed before they are added to what is there. */
const termsAtOnce: usize = 512;
/** Pixels whose windows pass one panel before the next. */
const blockPixels: usize = 64;

/** Writes pairs (start of the window, start of the result), in bytes, for each pixel of each image. */
function tabulate(
  table: usize,
  images: usize,
  fromImage: usize,
  toImage: usize,
  rows: usize,
  fromRow: usize,
  toRow: usize,
  columns: usize,
  fromStep: usize,
  toStep: usize,
): void {
  for (let n: usize = 0; n < images; n++)
    for (let h: usize = 0; h < rows; h++) {
      let from = n * fromImage + h * fromRow;
      let to = n * toImage + h * toRow;
      for (let w: usize = 0; w < columns; w++) {
        store<usize>(table, from);
        store<usize>(table, to, 4);
        table += 8;
        from += fromStep;
        to += toStep;
      }
    }
}

/** Each pixel's result, `columns` wide, from its window: `taps` stretches of `span` values. */
function multiplyWindows(
  image: usize,
  result: usize,
  table: usize,
  pixels: usize,
  taps: usize,
  tapStep: usize,
  span: usize,
  packed: usize,
  columns: usize,
): void {
  const panel = (taps * span) << 5;
  const tapsAtOnce = max<usize>(1, termsAtOnce / span);
  for (let first: usize = 0; first < pixels; first += blockPixels) {
    const many = min(pixels - first, blockPixels);
    const whole = many & ~3;
    const places = table + (first << 3);
    const end = places + (whole << 3);
    for (let tap: usize = 0; tap < taps; tap += tapsAtOnce) {
      const now = min(taps - tap, tapsAtOnce);
      const from = image + tap * tapStep;
      const b = packed + ((tap * span) << 5);
      const adds = tap > 0;
      for (let j: usize = 0; j < columns; j += 8) {
        const wide = min<usize>(columns - j, 8);
        const to = result + (j << 2);
        const own = b + (j >> 3) * panel;
        for (let place = places; place < end; place += 32)
          tileOfFour(
            from + load<usize>(place),
            from + load<usize>(place, 8),
            from + load<usize>(place, 16),
            from + load<usize>(place, 24),
            now,
            tapStep,
            span,
            own,
            panelRow,
            to + load<usize>(place, 4),
            to + load<usize>(place, 12),
            to + load<usize>(place, 20),
            to + load<usize>(place, 28),
            wide,
            adds,
          );
      }
      const rest = many - whole;
      for (let k: usize = 0; k < rest; k += 2) {
        const place = end + (k << 3);
        const a0 = from + load<usize>(place);
        const c0 = result + load<usize>(place, 4);
        const isPair = k + 1 < rest;
        const a1 = isPair ? from + load<usize>(place, 8) : a0;
        const c1 = isPair ? result + load<usize>(place, 12) : nowhere;
        multiplyTwo(a0, a1, columns, now, tapStep, span, b, panelRow, panel, c0, c1, adds);
      }
    }
  }
}

/**
 * @param row - Floats of a row of an image as it lies, `paddedRow` of one with padding; `left` are the floats before.
 * @param padded - Where a group of padded images goes; 0 when images can be read as they are.
 * @param span - Floats under one row of the filter.
 * @param packed - height of the filter * span * 8 * ceil(features / 8) floats.
 * @param table - Two floats for each pixel of the result of a group.
 */
export function convolution(
  x: usize,
  filter: usize,
  y: usize,
  batch: usize,
  group: usize,
  height: usize,
  row: usize,
  paddedHeight: usize,
  paddedRow: usize,
  top: usize,
  left: usize,
  taps: usize,
  span: usize,
  features: usize,
  outHeight: usize,
  outWidth: usize,
  rowStep: usize,
  step: usize,
  packed: usize,
  padded: usize,
  table: usize,
): void {
  const terms = taps * span;
  const pixels = outHeight * outWidth;
  const rowBytes = paddedRow << 2;
  const pixelBytes = features << 2;
  pack(filter, pixelBytes, terms, features, packed, terms << 5);
  tabulate(
    table,
    group,
    paddedHeight * rowBytes,
    pixels * pixelBytes,
    outHeight,
    rowStep << 2,
    outWidth * pixelBytes,
    outWidth,
    step << 2,
    pixelBytes,
  );
  for (let n: usize = 0; n < batch; n += group) {
    const many = min(batch - n, group);
    let images = x + ((n * height * row) << 2);
    if (padded !== 0) {
      padImages(images, many, height, row, padded, paddedHeight, paddedRow, top, left);
      images = padded;
    }
    const result = y + n * pixels * pixelBytes;
    multiplyWindows(images, result, table, many * pixels, taps, rowBytes, span, packed, features);
  }
}

/** The cotangent of the filter; parameters as in {@link convolution}, but `packed` holds a group of `d`. */
export function convolutionFilterGradient(
  x: usize,
  d: usize,
  filter: usize,
  batch: usize,
  group: usize,
  height: usize,
  row: usize,
  paddedHeight: usize,
  paddedRow: usize,
  top: usize,
  left: usize,
  taps: usize,
  span: usize,
  features: usize,
  outHeight: usize,
  outWidth: usize,
  rowStep: usize,
  step: usize,
  packed: usize,
  padded: usize,
): void {
  const pixels = outHeight * outWidth;
  const rowBytes = paddedRow << 2;
  const imageBytes = paddedHeight * rowBytes;
  const rowsAtOnce = min(outHeight, max<usize>(1, termsAtOnce / outWidth));
  const imagesAtOnce = max<usize>(1, termsAtOnce / pixels);
  for (let n: usize = 0; n < batch; n += group) {
    const many = min(batch - n, group);
    let images = x + ((n * height * row) << 2);
    if (padded !== 0) {
      padImages(images, many, height, row, padded, paddedHeight, paddedRow, top, left);
      images = padded;
    }
    const panel = (many * pixels) << 5;
    pack(d + ((n * pixels * features) << 2), features << 2, many * pixels, features, packed, panel);
    for (let image: usize = 0; image < many; image += imagesAtOnce)
      for (let first: usize = 0; first < outHeight; first += rowsAtOnce) {
        const b = packed + ((image * pixels + first * outWidth) << 5);
        const a = images + image * imageBytes + ((first * rowStep) << 2);
        const imagesNow = min(many - image, imagesAtOnce);
        const rowsNow = min(outHeight - first, rowsAtOnce);
        const adds = n + image + first > 0;
        for (let j: usize = 0; j < features; j += 8) {
          const wide = min<usize>(features - j, 8);
          const own = b + (j >> 3) * panel;
          for (let tap: usize = 0; tap < taps; tap++)
            for (let s: usize = 0; s < span; s += 4)
              tileAcross(
                a + tap * rowBytes + (s << 2),
                step << 2,
                outWidth,
                rowStep << 2,
                rowsNow,
                imageBytes,
                imagesNow,
                own,
                filter + (((tap * span + s) * features + j) << 2),
                features << 2,
                min<usize>(span - s, 4),
                wide,
                adds,
              );
        }
      }
  }
}

/**
 * The cotangent of the image: a convolution of the padded cotangent `d` of the result with the filter turned around.
 * Where a convolution takes steps, the pixels of an image fall into classes by their remainder, and each class meets its
 * own taps of the filter; nothing is added up in memory.
 * @param height - Of `d`; `row`, `paddedHeight`, `paddedRow`, `top` and `left` as in {@link convolution}, but of `d`.
 * @param packed - height * width of the filter * features * 8 * ceil(channels / 8) floats.
 */
export function convolutionInputGradient(
  d: usize,
  filter: usize,
  x: usize,
  batch: usize,
  group: usize,
  height: usize,
  row: usize,
  paddedHeight: usize,
  paddedRow: usize,
  top: usize,
  left: usize,
  filterHeight: usize,
  filterWidth: usize,
  channels: usize,
  features: usize,
  imageHeight: usize,
  imageWidth: usize,
  strideHeight: usize,
  strideWidth: usize,
  padTop: usize,
  padLeft: usize,
  packed: usize,
  padded: usize,
  table: usize,
): void {
  const panels = (channels + 7) & ~7;
  const featureBytes = features << 2;
  const channelBytes = channels << 2;
  const tapBytes = channels * featureBytes;
  let place = packed;
  for (let v: usize = 0; v < min(strideHeight, filterHeight); v++)
    for (let h: usize = 0; h < min(strideWidth, filterWidth); h++) {
      const down = (filterHeight - v + strideHeight - 1) / strideHeight;
      const across = (filterWidth - h + strideWidth - 1) / strideWidth;
      const panel = (down * across * features) << 5;
      for (let t: usize = 0; t < down; t++)
        for (let u: usize = 0; u < across; u++) {
          const tap = (v + (down - 1 - t) * strideHeight) * filterWidth + h + (across - 1 - u) * strideWidth;
          const to = place + (((t * across + u) * features) << 5);
          packTransposed(filter + tap * tapBytes, featureBytes, features, channels, to, panel);
        }
      place += (down * across * features * panels) << 2;
    }
  if (strideHeight > filterHeight || strideWidth > filterWidth)
    fill(x, batch * imageHeight * imageWidth * channels, 0);
  const rowBytes = paddedRow << 2;
  const imageBytes = imageHeight * imageWidth * channelBytes;
  for (let n: usize = 0; n < batch; n += group) {
    const many = min(batch - n, group);
    let images = d + ((n * height * row) << 2);
    if (padded !== 0) {
      padImages(images, many, height, row, padded, paddedHeight, paddedRow, top, left);
      images = padded;
    }
    place = packed;
    for (let v: usize = 0; v < min(strideHeight, filterHeight); v++)
      for (let h: usize = 0; h < min(strideWidth, filterWidth); h++) {
        const down = (filterHeight - v + strideHeight - 1) / strideHeight;
        const across = (filterWidth - h + strideWidth - 1) / strideWidth;
        const firstRow = (v + strideHeight - (padTop % strideHeight)) % strideHeight;
        const firstColumn = (h + strideWidth - (padLeft % strideWidth)) % strideWidth;
        if (firstRow < imageHeight && firstColumn < imageWidth) {
          const rows = (imageHeight - firstRow + strideHeight - 1) / strideHeight;
          const columns = (imageWidth - firstColumn + strideWidth - 1) / strideWidth;
          const startRow = (firstRow + padTop - v) / strideHeight + top + 1 - down;
          const startColumn = ((firstColumn + padLeft - h) / strideWidth + 1 - across) * features + left;
          tabulate(
            table,
            many,
            paddedHeight * rowBytes,
            imageBytes,
            rows,
            rowBytes,
            strideHeight * imageWidth * channelBytes,
            columns,
            featureBytes,
            strideWidth * channelBytes,
          );
          multiplyWindows(
            images + startRow * rowBytes + (startColumn << 2),
            x + n * imageBytes + (firstRow * imageWidth + firstColumn) * channelBytes,
            table,
            many * rows * columns,
            down,
            rowBytes,
            across * features,
            place,
            channels,
          );
        }
        place += (down * across * features * panels) << 2;
      }
  }
}
