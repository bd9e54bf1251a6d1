import type { ConvolutionGeometry } from '../../graph/primitives.ts';
import type { CallShapes, KernelCall } from '../backend.ts';
import { constants, type GpuKernels } from './dispatch.ts';
import { multiply, productScratch, type Product } from './product.ts';

type Op = 'convolution' | 'convolutionInputGradient' | 'convolutionFilterGradient';

/** Convolutions as products of matrices whose windows are looked up as they are read, never unfolded (implicit GEMM). */
export const convolutions: GpuKernels<Op> = {
  convolution: (call) =>
    run('convolution', call, {
      readers: `${windows}
fn a(matrix: u32, row: u32, k: u32) -> f32 { return windowValue(call.a, i32(row), i32(k)); }
fn b(matrix: u32, k: u32, column: u32) -> f32 { return arena[call.b + k * call.columns + column]; }`,
      along: { a: 'inner', b: 'column' },
    }),

  convolutionFilterGradient: (call) =>
    run('convolutionFilterGradient', call, {
      readers: `${windows}
fn a(matrix: u32, row: u32, k: u32) -> f32 { return windowValue(call.a, i32(k), i32(row)); }
fn b(matrix: u32, k: u32, column: u32) -> f32 { return arena[call.b + k * call.columns + column]; }`,
      along: { a: 'row', b: 'column' },
    }),

  convolutionInputGradient: (call) =>
    run('convolutionInputGradient', call, {
      // Row: a pixel of the image. k: a tap of the filter and a feature of d.
      readers: `fn a(matrix: u32, row: u32, k: u32) -> f32 {
  let at = i32(row);
  let tap = i32(k) / features;
  let y = (at / width) % height + padTop - tap / filterWidth;
  let x = at % width + padLeft - tap % filterWidth;
  if (y < 0 || x < 0 || y % strideHeight != 0 || x % strideWidth != 0) { return 0.0; }
  let outY = y / strideHeight;
  let outX = x / strideWidth;
  if (outY >= outHeight || outX >= outWidth) { return 0.0; }
  let place = ((at / (width * height)) * outHeight + outY) * outWidth + outX;
  return arena[call.a + u32(place * features + i32(k) % features)];
}
fn b(matrix: u32, k: u32, column: u32) -> f32 {
  let tap = k / u32(features);
  return arena[call.b + (tap * call.columns + column) * u32(features) + k % u32(features)];
}`,
      along: { a: 'inner', b: 'inner' },
    }),
};

/** The value under one place of the result and one tap of the filter and channel; 0 in the padding. */
const windows = `fn windowValue(image: u32, place: i32, tap: i32) -> f32 {
  let y = ((place / outWidth) % outHeight) * strideHeight + tap / (filterWidth * channels) - padTop;
  let x = (place % outWidth) * strideWidth + (tap / channels) % filterWidth - padLeft;
  if (y < 0 || x < 0 || y >= height || x >= width) { return 0.0; }
  let n = place / (outWidth * outHeight);
  return arena[image + u32(((n * height + y) * width + x) * channels + tap % channels)];
}`;

export function convolutionScratch(op: Op, shapes: CallShapes): number {
  return productScratch(sizesOf(op, shapes));
}

function run(op: Op, call: KernelCall<Op>, { readers, along }: Pick<Product, 'readers' | 'along'>) {
  const [a, b] = call.inputs;
  const shapes = { inputs: [a.shape, b.shape], output: call.output.shape };
  const { image, filter, out } = rolesOf(op, shapes);
  const [, height, width, channels] = image;
  const [, filterWidth] = filter;
  const [, outHeight, outWidth, features] = out;
  const { strideHeight, strideWidth, padTop, padLeft } = call.attributes;
  const sizes = { height, width, channels, filterWidth, outHeight, outWidth, features };
  const geometry = { strideHeight, strideWidth, padTop, padLeft } satisfies Partial<ConvolutionGeometry>;
  const product = {
    ...sizesOf(op, shapes),
    readers: constants({ ...sizes, ...geometry }) + readers,
    along,
    integers: { a: a.offset, b: b.offset },
  };
  return multiply(product, call.output.offset, call.scratch.offset);
}

function rolesOf(op: Op, { inputs: [a, b], output }: CallShapes) {
  if (op === 'convolution') return { image: a, filter: b, out: output };
  return op === 'convolutionInputGradient'
    ? { image: output, filter: b, out: a }
    : { image: a, filter: output, out: b };
}

function sizesOf(op: Op, shapes: CallShapes): Pick<Product, 'many' | 'rows' | 'columns' | 'inner'> {
  const { image, filter, out } = rolesOf(op, shapes);
  const [batch, height, width, channels] = image;
  const [filterHeight, filterWidth] = filter;
  const [, outHeight, outWidth, features] = out;
  const taps = filterHeight * filterWidth;
  const places = batch * outHeight * outWidth;
  if (op === 'convolution') return { many: 1, rows: places, columns: features, inner: taps * channels };
  return op === 'convolutionInputGradient'
    ? { many: 1, rows: batch * height * width, columns: channels, inner: taps * features }
    : { many: 1, rows: taps * channels, columns: features, inner: places };
}
