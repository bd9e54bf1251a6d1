import type { Primitive } from '../../graph/primitives.ts';
import type { KernelCall } from '../backend.ts';

/** Fixes a call's places and sizes once; the returned function runs it on the memory. */
export type Binder<Op extends Primitive> = (call: KernelCall<Op>, floats: Float32Array) => () => void;

/** The kernels of one family, by primitive. */
export type Kernels<Op extends Primitive> = { readonly [Each in Op]: Binder<Each> };
