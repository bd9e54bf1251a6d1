import type { PoolGeometry } from '../../graph/primitives.ts';
import type { Operand } from '../backend.ts';
import { placeOf, type KernelExports, type Kernels } from './binder.ts';

type Op = 'maxPoolIndex' | 'gather' | 'scatter' | 'averagePool' | 'averagePoolGradient';

export const pooling: Kernels<Op> = {
  maxPoolIndex: {
    bind: ({ inputs: [x], output, attributes }, { maxPoolIndex }) =>
      overWindows(maxPoolIndex, x, output, x, output, attributes),
  },
  averagePool: {
    bind: ({ inputs: [x], output, attributes }, { averagePool }) =>
      overWindows(averagePool, x, output, x, output, attributes),
  },
  averagePoolGradient: {
    bind: ({ inputs: [d], output, attributes }, { averagePoolGradient }) =>
      overWindows(averagePoolGradient, d, output, output, d, attributes),
  },

  gather: {
    bind({ inputs: [x, index], output }, { gather }) {
      const [px, pi, py] = [placeOf(x), placeOf(index), placeOf(output)];
      const batch = x.shape[0];
      const [size, many] = [x.size / batch, index.size / batch];
      return () => {
        gather(px, pi, py, batch, size, many);
      };
    },
  },
  scatter: {
    bind({ inputs: [d, index], output }, { scatter }) {
      const [pd, pi, py] = [placeOf(d), placeOf(index), placeOf(output)];
      const batch = output.shape[0];
      const [size, many] = [output.size / batch, index.size / batch];
      return () => {
        scatter(pd, pi, py, batch, size, many);
      };
    },
  },
};

function overWindows(
  run: KernelExports['averagePool'],
  input: Operand,
  output: Operand,
  image: Operand,
  pooled: Operand,
  { height, width, strideHeight, strideWidth }: PoolGeometry,
): () => void {
  const [batch, imageHeight, imageWidth, channels] = image.shape;
  const [, outHeight, outWidth] = pooled.shape;
  const [from, to] = [placeOf(input), placeOf(output)];
  return () => {
    // prettier-ignore
    run(
      from, to, batch, imageHeight, imageWidth, channels, height, width, strideHeight, strideWidth, outHeight, outWidth,
    );
  };
}
