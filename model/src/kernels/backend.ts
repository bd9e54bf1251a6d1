import type { Primitive, PrimitiveAttributes } from '../graph/primitives.ts';

/** Where a tensor lies in a memory: `offset` and `size` in floats. */
export interface Operand {
  readonly offset: number;
  readonly size: number;
  readonly shape: readonly number[];
}

/** One primitive with its places in memory fixed. */
export interface KernelCall<Op extends Primitive = Primitive> {
  readonly op: Op;
  readonly inputs: readonly Operand[];
  readonly output: Operand;
  /** As many floats as {@link Backend.scratchSize} asked for; their content is undefined. */
  readonly scratch: Operand;
  readonly attributes: PrimitiveAttributes[Op];
}

/** Linear memory of f32 values. */
export interface Memory {
  /** A view that stays valid as long as the memory. */
  readonly floats: Float32Array;
}

/**
 * What runs primitives: plain JavaScript, or a WebAssembly module that gives out its own memory. Everything in the arena is f32: labels and indices are integers below 2^24, exact there.
 */
export interface Backend {
  readonly name: string;
  createMemory(floats: number): Memory;
  /** Floats of scratch that a call needs beside its operands. */
  scratchSize(call: Pick<KernelCall, 'op' | 'attributes'> & { shapes: CallShapes }): number;
  /** Binds a call to memory once; the returned function allocates nothing. */
  bind(call: KernelCall, memory: Memory): () => void;
}

export interface CallShapes {
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
}
