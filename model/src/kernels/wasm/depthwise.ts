import type { KernelCall, Operand } from '../backend.ts';
import { placeOf, type KernelExports, type Kernels } from './binder.ts';

type Op = 'depthwise' | 'depthwiseInputGradient' | 'depthwiseFilterGradient';

export const depthwise: Kernels<Op> = {
  depthwise: {
    bind(call, kernels) {
      const [x, filter] = call.inputs;
      return bound(call, kernels, x, filter, call.output);
    },
  },
  depthwiseInputGradient: {
    bind(call, kernels) {
      const [d, filter] = call.inputs;
      return bound(call, kernels, call.output, filter, d);
    },
  },
  depthwiseFilterGradient: {
    bind(call, kernels) {
      const [x, d] = call.inputs;
      return bound(call, kernels, x, call.output, d);
    },
  },
};

// prettier-ignore
function bound(call: KernelCall<Op>, kernels: KernelExports, x: Operand, filter: Operand, y: Operand): () => void {
  const run = kernels[call.op];
  const [batch, height, width, channels] = x.shape;
  const [filterHeight, filterWidth] = filter.shape;
  const [, outHeight, outWidth] = y.shape;
  const { strideHeight, strideWidth, padTop, padLeft } = call.attributes;
  const [first, second, output] = [placeOf(call.inputs[0]), placeOf(call.inputs[1]), placeOf(call.output)];
  return () => {
    run(
      first, second, output, batch, height, width, channels, filterHeight, filterWidth, outHeight, outWidth,
      strideHeight, strideWidth, padTop, padLeft,
    );
  };
}
