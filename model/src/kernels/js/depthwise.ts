import type { ConvolutionGeometry } from '../../graph/primitives.ts';
import type { Operand } from '../backend.ts';
import type { Kernels } from './binder.ts';

type Op = 'depthwise' | 'depthwiseInputGradient' | 'depthwiseFilterGradient';

/** Each channel by its own filter: only taps inside the image are visited; sums of four channels at a time in float64. */
export const depthwise: Kernels<Op> = {
  depthwise({ inputs: [x, filter], output: y, attributes }, f) {
    const { batch, channels, down, across, row, filterRow, image } = sizesOf(x, filter, y, attributes);
    const tiled = channels - (channels % 4);
    return () => {
      let place = y.offset;
      for (let n = 0; n < batch; n++)
        for (let oy = 0; oy < down.many; oy++)
          for (let ox = 0; ox < across.many; ox++) {
            const top = down.firstTap[oy];
            const bottom = down.endTap[oy];
            const left = across.firstTap[ox];
            const right = across.endTap[ox];
            // May lie before the image where taps do; those are not read.
            const corner = x.offset + n * image + down.start[oy] * row + across.start[ox] * channels;
            for (let c = 0; c < tiled; c += 4, place += 4) {
              // prettier-ignore
              let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
              for (let ky = top; ky < bottom; ky++) {
                let p = corner + ky * row + left * channels + c;
                let q = filter.offset + ky * filterRow + left * channels + c;
                for (let kx = left; kx < right; kx++, p += channels, q += channels) {
                  s0 += f[p] * f[q];
                  s1 += f[p + 1] * f[q + 1];
                  s2 += f[p + 2] * f[q + 2];
                  s3 += f[p + 3] * f[q + 3];
                }
              }
              f[place] = s0;
              f[place + 1] = s1;
              f[place + 2] = s2;
              f[place + 3] = s3;
            }
            for (let c = tiled; c < channels; c++) {
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
            const top = down.firstTap[oy];
            const bottom = down.endTap[oy];
            const left = across.firstTap[ox];
            const right = across.endTap[ox];
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
    const { batch, channels, down, across, row, image } = sizesOf(x, filter, d, attributes);
    const { strideWidth, padLeft } = attributes;
    const tiled = channels - (channels % 4);
    return () => {
      let tap = filter.offset;
      for (let ky = 0; ky < filter.shape[0]; ky++)
        for (let kx = 0; kx < filter.shape[1]; kx++) {
          // The windows that have this tap inside the image.
          const top = down.firstWindow[ky];
          const bottom = down.endWindow[ky];
          const left = across.firstWindow[kx];
          const right = across.endWindow[kx];
          const xStep = strideWidth * channels;
          const first = (left * strideWidth - padLeft + kx) * channels;
          for (let c = 0; c < tiled; c += 4, tap += 4) {
            // prettier-ignore
            let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (let n = 0; n < batch; n++)
              for (let oy = top; oy < bottom; oy++) {
                let p = x.offset + n * image + (down.start[oy] + ky) * row + first + c;
                let q = d.offset + ((n * down.many + oy) * across.many + left) * channels + c;
                for (let ox = left; ox < right; ox++, p += xStep, q += channels) {
                  s0 += f[p] * f[q];
                  s1 += f[p + 1] * f[q + 1];
                  s2 += f[p + 2] * f[q + 2];
                  s3 += f[p + 3] * f[q + 3];
                }
              }
            f[tap] = s0;
            f[tap + 1] = s1;
            f[tap + 2] = s2;
            f[tap + 3] = s3;
          }
          for (let c = tiled; c < channels; c++) {
            let sum = 0;
            for (let n = 0; n < batch; n++)
              for (let oy = top; oy < bottom; oy++) {
                let p = x.offset + n * image + (down.start[oy] + ky) * row + first + c;
                let q = d.offset + ((n * down.many + oy) * across.many + left) * channels + c;
                for (let ox = left; ox < right; ox++, p += xStep, q += channels) sum += f[p] * f[q];
              }
            f[tap++] = sum;
          }
        }
    };
  },
};

/** How windows and the image meet along one axis. */
interface Windows {
  readonly many: number;
  /** By window: where it starts, and which of its taps lie inside the image. */
  readonly start: Int32Array;
  readonly firstTap: Int32Array;
  readonly endTap: Int32Array;
  /** By tap: which windows have it inside the image. */
  readonly firstWindow: Int32Array;
  readonly endWindow: Int32Array;
}

function windowsOf(length: number, size: number, many: number, stride: number, before: number): Windows {
  const start = Int32Array.from({ length: many }, (_, at) => at * stride - before);
  const taps = Int32Array.from({ length: size }, (_, tap) => tap);
  return {
    many,
    start,
    firstTap: start.map((at) => Math.max(0, -at)),
    endTap: start.map((at) => Math.min(size, length - at)),
    firstWindow: taps.map((tap) => start.filter((at) => at + tap < 0).length),
    endWindow: taps.map((tap) => start.filter((at) => at + tap < length).length),
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
