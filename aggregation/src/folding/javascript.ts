import type { Folding } from './folding.ts';

/** Folding in plain JavaScript: where there is no WebAssembly, and what the fast one is held against. */
export const javaScriptFolding: Folding = {
  name: 'javascript',
  isWithin,
  add: (lanes, vectors, { scaleBits, clip }) => {
    if (!vectors.every(({ values }) => isWithin(values, clip))) return false;
    const scale = 2 ** scaleBits;
    for (const { values, weight } of vectors) {
      for (let index = 0; index < lanes.length; index++) {
        const value = values[index]!;
        const magnitude = Math.round(Math.abs(value) * scale);
        lanes[index]! += weight * (value < 0 ? -magnitude : magnitude);
      }
    }
    return true;
  },
};

function isWithin(values: Float32Array, clip: number): boolean {
  for (let index = 0; index < values.length; index++) {
    if (!(Math.abs(values[index]!) <= clip)) return false; // NaN too
  }
  return true;
}
