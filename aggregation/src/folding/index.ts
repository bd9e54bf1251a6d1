import type { Folding } from './folding.ts';
import { javaScriptFolding } from './javascript.ts';
import { wasmFoldingIfAny } from './wasm.ts';

export { negated, type Folding, type WeightedVector } from './folding.ts';

let chosen: Folding | undefined;

/** The fastest that runs here. */
export function bestFolding(): Folding {
  return (chosen ??= wasmFoldingIfAny() ?? javaScriptFolding);
}
