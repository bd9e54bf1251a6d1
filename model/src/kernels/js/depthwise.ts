import type { ConvolutionGeometry } from '../../graph/primitives.ts';
import type { Operand } from '../backend.ts';
import type { Kernels } from './binder.ts';

type Op = 'depthwise' | 'depthwiseInputGradient' | 'depthwiseFilterGradient';

/** Each channel by its own filter: a loop over the taps inside the image, channels innermost but for the sums. */
export const depthwise: Kernels<Op> = {
  depthwise({ inputs: [x, filter], output: y, attributes }, f) {
    const { batch, channels, down, across, row, filterRow, image } = sizesOf(x, filter, y, attributes);
    return () => {
      let place = y.offset;
      for (let n = 0; n < batch; n++)
        for (let oy = 0; oy < down.many; oy++)
          for (let ox = 0; ox < across.many; ox++) {
            const [top, bottom] = [down.firstTap[oy], down.endTap[oy]];
            const [left, right] = [across.firstTap[ox], across.endTap[ox]];
            // May lie before the image where taps do; those are not read.
            const corner = x.offset + n * image + down.start[oy] * row + across.start[ox] * channels;
            for (let c = 0; c < channels; c++) {
              let sum = 0;
              for (let ky = top; ky < bottom; ky++) {
                const from = corner + ky * row + c;
                const tap = filter.offset + ky * filterRow + c;
                for (let kx = left; kx < right; kx++) sum += f[from + kx * channels] * f[tap + kx * channels];
              }
              f[place++] = sum;
            }
          }
    };
  },

  depthwiseInputGradient({ inputs: [d, filter], output: x, attributes }, f) {
    const { batch, channels, down, across, row, filterRow, image } = sizesOf(x, filter, d, attributes);
    return () => {
      f.fill(0, x.offset, x.offset + x.size);
      let place = d.offset;
      for (let n = 0; n < batch; n++)
        for (let oy = 0; oy < down.many; oy++)
          for (let ox = 0; ox < across.many; ox++, place += channels) {
            const [top, bottom] = [down.firstTap[oy], down.endTap[oy]];
            const [left, right] = [across.firstTap[ox], across.endTap[ox]];
            const corner = x.offset + n * image + down.start[oy] * row + across.start[ox] * channels;
            for (let ky = top; ky < bottom; ky++)
              for (let kx = left; kx < right; kx++) {
                const to = corner + ky * row + kx * channels;
                const tap = filter.offset + ky * filterRow + kx * channels;
                for (let c = 0; c < channels; c++) f[to + c] += f[place + c] * f[tap + c];
              }
          }
    };
  },

  depthwiseFilterGradient({ inputs: [x, d], output: filter, attributes }, f) {
    const { batch, channels, down, across, row, filterRow, image } = sizesOf(x, filter, d, attributes);
    return () => {
      f.fill(0, filter.offset, filter.offset + filter.size);
      let place = d.offset;
      for (let n = 0; n < batch; n++)
        for (let oy = 0; oy < down.many; oy++)
          for (let ox = 0; ox < across.many; ox++, place += channels) {
            const [top, bottom] = [down.firstTap[oy], down.endTap[oy]];
            const [left, right] = [across.firstTap[ox], across.endTap[ox]];
            const corner = x.offset + n * image + down.start[oy] * row + across.start[ox] * channels;
            for (let ky = top; ky < bottom; ky++)
              for (let kx = left; kx < right; kx++) {
                const from = corner + ky * row + kx * channels;
                const tap = filter.offset + ky * filterRow + kx * channels;
                for (let c = 0; c < channels; c++) f[tap + c] += f[from + c] * f[place + c];
              }
          }
    };
  },
};

/** The windows along one axis: where each starts in the image, and which of its taps lie inside. */
interface Windows {
  readonly many: number;
  readonly start: Int32Array;
  readonly firstTap: Int32Array;
  readonly endTap: Int32Array;
}

function windowsOf(length: number, size: number, many: number, stride: number, before: number): Windows {
  const start = Int32Array.from({ length: many }, (_, at) => at * stride - before);
  return {
    many,
    start,
    firstTap: start.map((at) => Math.max(0, -at)),
    endTap: start.map((at) => Math.min(size, length - at)),
  };
}

function sizesOf(image: Operand, filter: Operand, out: Operand, geometry: ConvolutionGeometry) {
  const [batch, height, width, channels] = image.shape;
  const [filterHeight, filterWidth] = filter.shape;
  const [, outHeight, outWidth] = out.shape;
  const { strideHeight, strideWidth, padTop, padLeft } = geometry;
  return {
    batch,
    channels,
    row: width * channels,
    filterRow: filterWidth * channels,
    image: height * width * channels,
    down: windowsOf(height, filterHeight, outHeight, strideHeight, padTop),
    across: windowsOf(width, filterWidth, outWidth, strideWidth, padLeft),
  };
}
