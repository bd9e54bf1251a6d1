import type { ConvolutionGeometry, Primitive } from '../../graph/primitives.ts';
import type { Backend, CallShapes } from '../backend.ts';
import type { Binder } from './binder.ts';
import { classification } from './classification.ts';
import { convolutions, paddedSize } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { pooling } from './pooling.ts';
import { products } from './products.ts';
import { rows } from './rows.ts';

/** Primitives that are places in memory rather than work: `leaf`, `constant`, `view`. */
type Computed = Exclude<Primitive, 'leaf' | 'constant' | 'view'>;

const kernels: { readonly [Op in Computed]: Binder<Op> } = {
  ...products,
  ...convolutions,
  ...pooling,
  ...elementwise,
  ...rows,
  ...classification,
};

/** Kernels in plain JavaScript: they run wherever there is no WebAssembly, and are what faster ones are held against. */
export const jsBackend: Backend = Object.freeze({
  name: 'js',
  createMemory: (floats) => ({ floats: new Float32Array(floats) }),
  scratchSize: ({ op, attributes, shapes }) => scratchSize(op, attributes, shapes),
  bind(call, { floats }) {
    const bind = kernels[call.op as Computed] as Binder<Primitive>; // the planner makes calls of computed primitives only, and the table pairs each with its own
    return bind(call, floats);
  },
} satisfies Backend);

function scratchSize(op: Primitive, attributes: object, { inputs, output }: CallShapes): number {
  if (op === 'convolution' || op === 'convolutionFilterGradient')
    return paddedSize(inputs[0], attributes as ConvolutionGeometry); // by the op
  if (op === 'convolutionInputGradient') return paddedSize(output, attributes as ConvolutionGeometry);
  return 0;
}
