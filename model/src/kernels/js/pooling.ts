import type { PoolGeometry } from '../../graph/primitives.ts';
import type { Operand } from '../backend.ts';
import type { Kernels } from './binder.ts';

type Op = 'maxPoolIndex' | 'gather' | 'scatter' | 'averagePool' | 'averagePoolGradient';

export const pooling: Kernels<Op> = {
  maxPoolIndex({ inputs: [x], output, attributes }, floats) {
    const { batch, channels, row, size, starts } = windowsOf(x, output, attributes);
    const { height, width } = attributes;
    return () => {
      let place = output.offset;
      for (let n = 0; n < batch; n++) {
        const example = x.offset + n * size;
        for (const start of starts)
          for (let c = 0; c < channels; c++) {
            const first = start + c;
            let best = first;
            let largest = floats[example + first];
            for (let h = 0; h < height; h++)
              for (let w = 0; w < width; w++) {
                const at = first + h * row + w * channels;
                if (floats[example + at] > largest) {
                  largest = floats[example + at];
                  best = at;
                }
              }
            floats[place++] = best;
          }
      }
    };
  },

  gather({ inputs: [x, index], output }, floats) {
    const batch = x.shape[0];
    const many = index.size / batch;
    const size = x.size / batch;
    return () => {
      for (let n = 0, i = 0; n < batch; n++) {
        const example = x.offset + n * size;
        for (const end = (n + 1) * many; i < end; i++)
          floats[output.offset + i] = floats[example + floats[index.offset + i]];
      }
    };
  },

  scatter({ inputs: [d, index], output }, floats) {
    const batch = output.shape[0];
    const many = index.size / batch;
    const size = output.size / batch;
    return () => {
      floats.fill(0, output.offset, output.offset + output.size);
      for (let n = 0, i = 0; n < batch; n++) {
        const example = output.offset + n * size;
        for (const end = (n + 1) * many; i < end; i++)
          floats[example + floats[index.offset + i]] += floats[d.offset + i];
      }
    };
  },

  averagePool({ inputs: [x], output, attributes }, floats) {
    const { batch, channels, row, size, starts } = windowsOf(x, output, attributes);
    const { height, width } = attributes;
    return () => {
      let place = output.offset;
      for (let n = 0; n < batch; n++)
        for (const start of starts) {
          const window = x.offset + n * size + start;
          for (let c = 0; c < channels; c++) {
            let sum = 0;
            for (let h = 0; h < height; h++)
              for (let w = 0; w < width; w++) sum += floats[window + h * row + w * channels + c];
            floats[place++] = sum / (height * width);
          }
        }
    };
  },

  averagePoolGradient({ inputs: [d], output, attributes }, floats) {
    const { batch, channels, row, size, starts } = windowsOf(output, d, attributes);
    const { height, width } = attributes;
    return () => {
      floats.fill(0, output.offset, output.offset + output.size);
      let place = d.offset;
      for (let n = 0; n < batch; n++)
        for (const start of starts) {
          const window = output.offset + n * size + start;
          for (let c = 0; c < channels; c++) {
            const share = floats[place++] / (height * width);
            for (let h = 0; h < height; h++)
              for (let w = 0; w < width; w++) floats[window + h * row + w * channels + c] += share;
          }
        }
    };
  },
};

/** Where the windows of one image start, row by row, and the steps inside it. */
function windowsOf(image: Operand, pooled: Operand, { strideHeight, strideWidth }: PoolGeometry) {
  const [batch, , width, channels] = image.shape;
  const [, outHeight, outWidth] = pooled.shape;
  const row = width * channels;
  const starts = new Int32Array(outHeight * outWidth);
  for (let h = 0; h < outHeight; h++)
    for (let w = 0; w < outWidth; w++)
      starts[h * outWidth + w] = h * strideHeight * row + w * strideWidth * channels;
  return { batch, channels, row, size: image.size / batch, starts };
}
