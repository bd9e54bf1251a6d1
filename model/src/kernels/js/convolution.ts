import type { ConvolutionGeometry } from '../../graph/primitives.ts';
import type { KernelCall } from '../backend.ts';
import type { Kernels } from './binder.ts';
import { multiplyMatrices } from './matmul.ts';

type Op = 'convolution' | 'convolutionInputGradient' | 'convolutionFilterGradient';

/**
 * Convolutions as products of matrices without unfolding: in a padded image of layout HWC, the windows of one row of the
 * filter are rows of a matrix that overlap in memory, `strideWidth * channels` apart. One image at a time is padded.
 */
interface Sizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly features: number;
  readonly filterHeight: number;
  /** Values under one row of the filter. */
  readonly span: number;
  /** Values of one row of a padded image. */
  readonly paddedRow: number;
  readonly paddedHeight: number;
  readonly isPadded: boolean;
}

/** Floats of one padded image; 0 where images can be read as they are. */
export function paddedSize(imageShape: readonly number[], geometry: ConvolutionGeometry): number {
  const [, height, width, channels] = imageShape;
  const { padTop, padBottom, padLeft, padRight } = geometry;
  if (padTop + padBottom + padLeft + padRight === 0) return 0;
  return (height + padTop + padBottom) * (width + padLeft + padRight) * channels;
}

export const convolutions: Kernels<Op> = {
  convolution(call, floats) {
    const [x, filter] = call.inputs;
    const y = call.output;
    const sizes = sizesOf(x.shape, filter.shape, y.shape, call.attributes);
    const { batch, outHeight, outWidth, features, filterHeight, span } = sizes;
    return () => {
      for (let n = 0; n < batch; n++) {
        const image = padImage(floats, sizes, call, x.offset, n);
        for (let row = 0; row < outHeight; row++)
          for (let tap = 0; tap < filterHeight; tap++)
            multiplyMatrices(
              floats,
              outWidth,
              features,
              span,
              image + windowOf(sizes, call.attributes, row, tap),
              call.attributes.strideWidth * sizes.channels,
              1,
              filter.offset + tap * span * features,
              features,
              1,
              y.offset + (n * outHeight + row) * outWidth * features,
              features,
              tap > 0,
            );
      }
    };
  },

  convolutionFilterGradient(call, floats) {
    const [x, d] = call.inputs;
    const filter = call.output;
    const sizes = sizesOf(x.shape, filter.shape, d.shape, call.attributes);
    const { batch, outHeight, outWidth, features, filterHeight, span } = sizes;
    return () => {
      for (let n = 0; n < batch; n++) {
        const image = padImage(floats, sizes, call, x.offset, n);
        for (let row = 0; row < outHeight; row++)
          for (let tap = 0; tap < filterHeight; tap++)
            multiplyMatrices(
              floats,
              span,
              features,
              outWidth,
              image + windowOf(sizes, call.attributes, row, tap),
              1,
              call.attributes.strideWidth * sizes.channels,
              d.offset + (n * outHeight + row) * outWidth * features,
              features,
              1,
              filter.offset + tap * span * features,
              features,
              n > 0 || row > 0,
            );
      }
    };
  },

  convolutionInputGradient(call, floats) {
    const [d, filter] = call.inputs;
    const x = call.output;
    const sizes = sizesOf(x.shape, filter.shape, d.shape, call.attributes);
    const { batch, outHeight, outWidth, features, filterHeight, span, paddedRow, paddedHeight, isPadded } =
      sizes;
    const imageSize = x.size / batch;
    return () => {
      for (let n = 0; n < batch; n++) {
        const image = isPadded ? call.scratch.offset : x.offset + n * imageSize;
        floats.fill(0, image, image + paddedHeight * paddedRow);
        for (let row = 0; row < outHeight; row++)
          for (let tap = 0; tap < filterHeight; tap++)
            multiplyMatrices(
              floats,
              outWidth,
              span,
              features,
              d.offset + (n * outHeight + row) * outWidth * features,
              features,
              1,
              filter.offset + tap * span * features,
              1,
              features,
              image + windowOf(sizes, call.attributes, row, tap),
              call.attributes.strideWidth * sizes.channels,
              true,
            );
        if (isPadded) cutPadding(floats, sizes, call, x.offset + n * imageSize);
      }
    };
  },
};

function sizesOf(
  image: readonly number[],
  filter: readonly number[],
  out: readonly number[],
  geometry: ConvolutionGeometry,
): Sizes {
  const [batch, height, width, channels] = image;
  const [filterHeight, filterWidth] = filter;
  const [, outHeight, outWidth, features] = out;
  return {
    batch,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    features,
    filterHeight,
    span: filterWidth * channels,
    paddedRow: (width + geometry.padLeft + geometry.padRight) * channels,
    paddedHeight: height + geometry.padTop + geometry.padBottom,
    isPadded: paddedSize(image, geometry) > 0,
  };
}

/** Where, in a padded image, the first window of an output row lies under one row of the filter. */
function windowOf(
  { paddedRow }: Sizes,
  { strideHeight }: ConvolutionGeometry,
  row: number,
  tap: number,
): number {
  return (row * strideHeight + tap) * paddedRow;
}

/** Copies image `n` into the middle of zeros, unless it can be read as it is; gives its offset. */
function padImage(floats: Float32Array, sizes: Sizes, call: KernelCall<Op>, x: number, n: number): number {
  const { height, width, channels, paddedRow, paddedHeight, isPadded } = sizes;
  const row = width * channels;
  const source = x + n * height * row;
  if (!isPadded) return source;
  const { offset } = call.scratch;
  const { padTop, padLeft } = call.attributes;
  floats.fill(0, offset, offset + paddedHeight * paddedRow);
  for (let h = 0; h < height; h++) {
    const from = source + h * row;
    floats.copyWithin(offset + (h + padTop) * paddedRow + padLeft * channels, from, from + row);
  }
  return offset;
}

function cutPadding(floats: Float32Array, sizes: Sizes, call: KernelCall<Op>, x: number): void {
  const { height, width, channels, paddedRow } = sizes;
  const { padTop, padLeft } = call.attributes;
  const row = width * channels;
  for (let h = 0; h < height; h++) {
    const from = call.scratch.offset + (h + padTop) * paddedRow + padLeft * channels;
    floats.copyWithin(x + h * row, from, from + row);
  }
}
