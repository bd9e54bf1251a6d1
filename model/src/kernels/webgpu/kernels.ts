import { ancestors } from '../../graph/gradient.ts';
import type { Value } from '../../graph/graph.ts';
import type { ComputedPrimitive, Primitive, PrimitiveAttributes } from '../../graph/primitives.ts';
import type { Backend, CallShapes, KernelCall } from '../backend.ts';
import { convolutions, convolutionScratch } from './convolution.ts';
import { depthwise } from './depthwise.ts';
import type { Dispatch, GpuKernel } from './dispatch.ts';
import { elementwise } from './elementwise.ts';
import { GpuUnsuitable } from './errors.ts';
import { matmuls, matmulScratch } from './matmul.ts';
import { places } from './places.ts';
import { pooling } from './pooling.ts';
import { rows, sumScratch } from './rows.ts';

/** Primitives that are places in memory rather than work. */
const placesAlone: ReadonlySet<Primitive> = new Set(['leaf', 'constant', 'view']);

/** Without `lstm` and `lstmGradient`: a step in time has too little to do for a GPU. */
type Covered = Exclude<ComputedPrimitive, 'lstm' | 'lstmGradient'>;

const kernels: { readonly [Op in Covered]: GpuKernel<Op> } = {
  ...matmuls,
  ...convolutions,
  ...depthwise,
  ...pooling,
  ...elementwise,
  ...places,
  ...rows,
};

/** @throws GpuUnsuitable When the primitive has no shader. */
export function dispatchesOf(call: KernelCall): readonly Dispatch[] {
  if (!isCovered(call.op))
    throw new GpuUnsuitable(
      `The WebGPU backend has no shader for the primitive "${call.op}"; train this model with another backend.`,
    );
  const kernel = kernels[call.op] as GpuKernel<Primitive>; // the table pairs each primitive with its own
  return kernel(call);
}

/** The first primitive that leads to these values and has no shader; undefined where all have. */
export function uncovered(outputs: readonly Value[]): Primitive | undefined {
  return ancestors(outputs).find(({ op }) => !placesAlone.has(op) && !isCovered(op))?.op;
}

function isCovered(op: Primitive): op is Covered {
  return Object.hasOwn(kernels, op);
}

/** What the planner asks: a GPU runs for itself, so nothing is bound to memory of the host. */
export const gpuLayout: Pick<Backend, 'scratchSize'> = {
  scratchSize: ({ op, attributes, shapes }) => scratchSize(op, attributes, shapes),
};

function scratchSize(op: Primitive, attributes: object, shapes: CallShapes): number {
  switch (op) {
    case 'matmul':
      return matmulScratch(shapes, attributes as PrimitiveAttributes['matmul']); // by its op
    case 'convolution':
    case 'convolutionInputGradient':
    case 'convolutionFilterGradient':
      return convolutionScratch(op, shapes);
    case 'columnSum':
    case 'columnDot':
    case 'dot':
      return sumScratch(op, shapes);
    default:
      return 0;
  }
}
