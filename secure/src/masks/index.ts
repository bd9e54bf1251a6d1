import { javaScriptMasks } from './javascript.ts';
import type { Masks } from './masks.ts';
import { wasmMasksIfAny } from './wasm.ts';

/** The fastest masks of this JavaScript engine: the same stream from all. */
export function bestMasks(): Masks {
  return wasmMasksIfAny() ?? javaScriptMasks();
}

export { javaScriptMasks } from './javascript.ts';
export type { Masks } from './masks.ts';
export { wasmMasks } from './wasm.ts';
