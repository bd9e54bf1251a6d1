import type { ComputedPrimitive, Primitive } from '../../graph/primitives.ts';
import type { Backend, Memory } from '../backend.ts';
import { MemoryUnavailable } from '../memory-unavailable.ts';
import { arenaStart, type Kernel, type KernelExports } from './binder.ts';
import { classification } from './classification.ts';
import { convolutions } from './convolution.ts';
import { depthwise } from './depthwise.ts';
import { elementwise } from './elementwise.ts';
import { strictModule } from './generated/strict.ts';
import { instantiate, isValid, webAssembly, type KernelBuild } from './module.ts';
import { normalisations } from './normalise.ts';
import { places } from './places.ts';
import { pooling } from './pooling.ts';
import { products } from './products.ts';
import { rows } from './rows.ts';
import { sequences } from './sequences.ts';

const kernels: { readonly [Op in ComputedPrimitive]: Kernel<Op> } = {
  ...products,
  ...convolutions,
  ...depthwise,
  ...pooling,
  ...elementwise,
  ...places,
  ...rows,
  ...normalisations,
  ...sequences,
  ...classification,
};

/** The planner asks for computed primitives only, and the table pairs each with its own kernel. */
function kernelOf(op: Primitive): Kernel<Primitive> {
  return kernels[op as ComputedPrimitive];
}

const pageBytes = 65536;
const mostPages = 65536;
/** Kernels read panels of 8 floats of which the first alone may belong to an operand. */
const readBehind = 28;

/** One instance of the kernels over its own memory, which never grows: views of it stay valid. */
class KernelMemory implements Memory {
  readonly floats: Float32Array;
  readonly exports: KernelExports;

  constructor(build: KernelBuild, floats: number) {
    const bytes = arenaStart + floats * Float32Array.BYTES_PER_ELEMENT + readBehind;
    const pages = Math.ceil(bytes / pageBytes);
    if (pages > mostPages) throw new MemoryUnavailable(bytes);
    const { Memory } = webAssembly();
    let memory;
    try {
      memory = new Memory({ initial: pages, maximum: pages });
    } catch (error) {
      if (error instanceof RangeError) throw new MemoryUnavailable(bytes, undefined, error);
      throw error;
    }
    this.floats = new Float32Array(memory.buffer, arenaStart, floats);
    this.exports = instantiate(build, memory);
  }
}

export type { KernelBuild } from './module.ts';

/** The same bits on every engine and processor. */
export const strictKernels: KernelBuild = { name: 'wasm', base64: strictModule };

/** Whether this JavaScript engine takes a build of the kernels: WebAssembly with 128-bit SIMD, or relaxed SIMD. */
export function isWasmSupported(build = strictKernels): boolean {
  return isValid(build);
}

/**
 * Kernels in WebAssembly with 128-bit SIMD. Compiles at the first memory, in a few milliseconds, without a fetch.
 * @param build - The strict kernels unless told; `relaxedKernels` come from `@starling/model/relaxed`.
 * @throws TypeError, from `createMemory`, where there is no WebAssembly; see {@link isWasmSupported}.
 */
export function wasmBackend(build = strictKernels): Backend {
  return Object.freeze({
    name: build.name,
    createMemory: (floats) => new KernelMemory(build, floats),
    scratchSize: ({ op, attributes, shapes }) => kernelOf(op).scratch?.(shapes, attributes) ?? 0,
    bind(call, memory) {
      if (!(memory instanceof KernelMemory))
        throw new TypeError('WebAssembly kernels run on memory of their own backend alone.');
      return kernelOf(call.op).bind(call, memory.exports);
    },
  } satisfies Backend);
}
