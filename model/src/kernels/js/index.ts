import type { ComputedPrimitive, ConvolutionGeometry, Primitive } from '../../graph/primitives.ts';
import type { Backend, CallShapes } from '../backend.ts';
import { MemoryUnavailable } from '../memory-unavailable.ts';
import type { Binder } from './binder.ts';
import { classification } from './classification.ts';
import { convolutions, paddedSize } from './convolution.ts';
import { depthwise } from './depthwise.ts';
import { elementwise } from './elementwise.ts';
import { gelus } from './gelu.ts';
import { normalisations } from './normalise.ts';
import { places } from './places.ts';
import { pooling } from './pooling.ts';
import { products } from './products.ts';
import { rows } from './rows.ts';
import { lstmGradientScratch, lstmScratch, sequences } from './sequences.ts';

const kernels: { readonly [Op in ComputedPrimitive]: Binder<Op> } = {
  ...products,
  ...convolutions,
  ...depthwise,
  ...pooling,
  ...elementwise,
  ...gelus,
  ...places,
  ...rows,
  ...normalisations,
  ...sequences,
  ...classification,
};

/** Kernels in plain JavaScript: they run wherever there is no WebAssembly, and are what faster ones are held against. */
export const jsBackend: Backend = Object.freeze({
  name: 'js',
  createMemory(floats) {
    try {
      return { floats: new Float32Array(floats) };
    } catch (error) {
      if (error instanceof RangeError) throw new MemoryUnavailable(floats * 4, undefined, error);
      throw error;
    }
  },
  scratchSize: ({ op, attributes, shapes }) => scratchSize(op, attributes, shapes),
  bind(call, { floats }) {
    const bind = kernels[call.op as ComputedPrimitive] as Binder<Primitive>; // the planner makes calls of computed primitives only, and the table pairs each with its own
    return bind(call, floats);
  },
} satisfies Backend);

function scratchSize(op: Primitive, attributes: object, shapes: CallShapes): number {
  const { inputs, output } = shapes;
  if (op === 'convolution' || op === 'convolutionFilterGradient')
    return paddedSize(inputs[0], attributes as ConvolutionGeometry); // by the op
  if (op === 'convolutionInputGradient') return paddedSize(output, attributes as ConvolutionGeometry);
  if (op === 'lstm') return lstmScratch(shapes);
  if (op === 'lstmGradient') return lstmGradientScratch(shapes);
  return 0;
}
