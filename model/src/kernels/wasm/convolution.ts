import type { ConvolutionGeometry } from '../../graph/primitives.ts';
import type { CallShapes, KernelCall } from '../backend.ts';
import { panels, placeOf, type Kernels } from './binder.ts';

type Op = 'convolution' | 'convolutionInputGradient' | 'convolutionFilterGradient';

/** Padded images of a group take 256 kB at most, unless a single one is larger. */
const groupFloats = 65536;
/** Entries of the table of pixels of a group. */
const groupPixels = 8192;

interface Sizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly features: number;
}

function sizesOf(image: readonly number[], filter: readonly number[], out: readonly number[]): Sizes {
  const [batch, height, width, channels] = image;
  const [filterHeight, filterWidth] = filter;
  const [, outHeight, outWidth, features] = out;
  return { batch, height, width, channels, filterHeight, filterWidth, outHeight, outWidth, features };
}

/** Images with zeros around them, and how many are taken at a time. */
interface Padded {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly isPadded: boolean;
  readonly group: number;
  /** Floats of a group of padded images; 0 where images are read as they are. */
  readonly floats: number;
}

// prettier-ignore
function padded(batch: number, height: number, width: number, depth: number, around: readonly number[], pixels: number): Padded {
  const [top, bottom, left, right] = around;
  const [paddedHeight, paddedWidth] = [height + top + bottom, width + left + right];
  const isPadded = top + bottom + left + right > 0;
  const size = paddedHeight * paddedWidth * depth;
  const most = Math.floor(Math.min(groupFloats / size, groupPixels / pixels));
  const group = Math.max(1, Math.min(batch, most));
  return { top, left, height: paddedHeight, width: paddedWidth, isPadded, group, floats: isPadded ? aligned(group * size) : 0 };
}

function aligned(floats: number): number {
  return Math.ceil(floats / 4) * 4;
}

function around({ padTop, padBottom, padLeft, padRight }: ConvolutionGeometry): readonly number[] {
  return [padTop, padBottom, padLeft, padRight];
}

function ofImage(sizes: Sizes, geometry: ConvolutionGeometry): Padded {
  const { batch, height, width, channels, outHeight, outWidth } = sizes;
  return padded(batch, height, width, channels, around(geometry), outHeight * outWidth);
}

/** How far windows that lead back to an image reach beyond the result, at either end of an axis. */
function beyond(length: number, size: number, stride: number, before: number, out: number): [number, number] {
  let [first, last] = [0, out - 1];
  for (let at = 0; at < length; at++) {
    const phase = (at + before) % stride;
    if (phase >= size) continue;
    const to = (at + before - phase) / stride;
    const taps = Math.ceil((size - phase) / stride);
    first = Math.min(first, to - taps + 1);
    last = Math.max(last, to);
  }
  return [-first, last - (out - 1)];
}

function ofResult(sizes: Sizes, geometry: ConvolutionGeometry): Padded {
  const { batch, height, width, filterHeight, filterWidth, outHeight, outWidth, features } = sizes;
  const { strideHeight, strideWidth, padTop, padLeft } = geometry;
  const down = beyond(height, filterHeight, strideHeight, padTop, outHeight);
  const across = beyond(width, filterWidth, strideWidth, padLeft, outWidth);
  const pixels = Math.ceil(height / strideHeight) * Math.ceil(width / strideWidth);
  return padded(batch, outHeight, outWidth, features, [...down, ...across], pixels);
}

/** Where scratch is divided: packed values, padded images, the table of pixels. */
function divided(call: KernelCall<Op>, packed: number, { isPadded, floats }: Padded) {
  const start = placeOf(call.scratch);
  const images = start + packed * Float32Array.BYTES_PER_ELEMENT;
  return {
    packed: start,
    images: isPadded ? images : 0,
    table: images + floats * Float32Array.BYTES_PER_ELEMENT,
  };
}

function filterFloats({ filterHeight, filterWidth, channels, features }: Sizes): number {
  return filterHeight * filterWidth * channels * panels(features);
}

function turnedFilterFloats({ filterHeight, filterWidth, channels, features }: Sizes): number {
  return filterHeight * filterWidth * features * panels(channels);
}

function resultFloats({ outHeight, outWidth, features }: Sizes, { group }: Padded): number {
  return group * outHeight * outWidth * panels(features);
}

export const convolutions: Kernels<Op> = {
  convolution: {
    scratch({ inputs: [x, filter], output }: CallShapes, geometry) {
      const sizes = sizesOf(x, filter, output);
      const { floats, group } = ofImage(sizes, geometry);
      return filterFloats(sizes) + floats + 2 * group * sizes.outHeight * sizes.outWidth;
    },
    bind(call, { convolution }) {
      const [x, filter] = call.inputs;
      const sizes = sizesOf(x.shape, filter.shape, call.output.shape);
      const { batch, height, width, channels, filterHeight, filterWidth, outHeight, outWidth, features } =
        sizes;
      const image = ofImage(sizes, call.attributes);
      const scratch = divided(call, filterFloats(sizes), image);
      const [px, pw, py] = [placeOf(x), placeOf(filter), placeOf(call.output)];
      const row = width * channels;
      const paddedRow = image.width * channels;
      const left = image.left * channels;
      const span = filterWidth * channels;
      const rowStep = call.attributes.strideHeight * paddedRow;
      const step = call.attributes.strideWidth * channels;
      const { group, height: paddedHeight, top } = image;
      const { packed, images, table } = scratch;
      return () => {
        // prettier-ignore
        convolution(
          px, pw, py, batch, group, height, row, paddedHeight, paddedRow, top, left,
          filterHeight, span, features, outHeight, outWidth, rowStep, step, packed, images, table,
        );
      };
    },
  },

  convolutionFilterGradient: {
    scratch({ inputs: [x, d], output }: CallShapes, geometry) {
      const sizes = sizesOf(x, output, d);
      const image = ofImage(sizes, geometry);
      return resultFloats(sizes, image) + image.floats;
    },
    bind(call, { convolutionFilterGradient }) {
      const [x, d] = call.inputs;
      const sizes = sizesOf(x.shape, call.output.shape, d.shape);
      const { batch, height, width, channels, filterHeight, filterWidth, outHeight, outWidth, features } =
        sizes;
      const image = ofImage(sizes, call.attributes);
      const scratch = divided(call, resultFloats(sizes, image), image);
      const [px, pd, pw] = [placeOf(x), placeOf(d), placeOf(call.output)];
      const row = width * channels;
      const paddedRow = image.width * channels;
      const left = image.left * channels;
      const span = filterWidth * channels;
      const rowStep = call.attributes.strideHeight * paddedRow;
      const step = call.attributes.strideWidth * channels;
      const { group, height: paddedHeight, top } = image;
      const { packed, images } = scratch;
      return () => {
        // prettier-ignore
        convolutionFilterGradient(
          px, pd, pw, batch, group, height, row, paddedHeight, paddedRow, top, left,
          filterHeight, span, features, outHeight, outWidth, rowStep, step, packed, images,
        );
      };
    },
  },

  convolutionInputGradient: {
    scratch({ inputs: [d, filter], output }: CallShapes, geometry) {
      const sizes = sizesOf(output, filter, d);
      const { floats, group } = ofResult(sizes, geometry);
      const { strideHeight, strideWidth } = geometry;
      const pixels = Math.ceil(sizes.height / strideHeight) * Math.ceil(sizes.width / strideWidth);
      return turnedFilterFloats(sizes) + floats + 2 * group * pixels;
    },
    bind(call, { convolutionInputGradient }) {
      const [d, filter] = call.inputs;
      const sizes = sizesOf(call.output.shape, filter.shape, d.shape);
      const { batch, height, width, channels, filterHeight, filterWidth, outHeight, outWidth, features } =
        sizes;
      const { strideHeight, strideWidth, padTop, padLeft } = call.attributes;
      const image = ofResult(sizes, call.attributes);
      const scratch = divided(call, turnedFilterFloats(sizes), image);
      const [pd, pw, px] = [placeOf(d), placeOf(filter), placeOf(call.output)];
      const row = outWidth * features;
      const paddedRow = image.width * features;
      const left = image.left * features;
      const { group, height: paddedHeight, top } = image;
      const { packed, images, table } = scratch;
      return () => {
        // prettier-ignore
        convolutionInputGradient(
          pd, pw, px, batch, group, outHeight, row, paddedHeight, paddedRow, top, left,
          filterHeight, filterWidth, channels, features, height, width,
          strideHeight, strideWidth, padTop, padLeft, packed, images, table,
        );
      };
    },
  },
};
