/** Masks put on an update, and the list of those to take away from the sum. */
import type { Masks } from '../masks/masks.ts';
import type { RingVector } from './words.ts';

/** One key stream, added (1) or taken away (-1) over all coordinates. */
export interface MaskTerm {
  readonly key: Uint8Array;
  readonly sign: 1 | -1;
}

/** A range of coordinates [from, to). */
export interface CoordinateRange {
  readonly from: number;
  readonly to: number;
}

/** Coordinates taken at a time by all streams, so that they stay in the cache. */
const tile = 16_384;

/** Applies all terms to coordinates `from` and following of the whole vector, which `target` is a part of. */
export function applyMasks(masks: Masks, terms: readonly MaskTerm[], target: RingVector, from = 0): void {
  for (let at = 0; at < target.length; at += tile) {
    const end = Math.min(at + tile, target.length);
    if (target instanceof Uint16Array) {
      const part = target.subarray(at, end);
      for (const { key, sign } of terms) masks.add16(key, part, from + at, sign);
    } else {
      const part = target.subarray(at, end);
      for (const { key, sign } of terms) masks.add32(key, part, from + at, sign);
    }
  }
}

/** Splits `length` coordinates into at most `parts` ranges, to be taken up by as many workers. */
export function splitRange(length: number, parts: number): CoordinateRange[] {
  // Blocks of the stream hold 16 or 32 coordinates: a worker starts at one.
  const step = Math.max(32, Math.ceil(length / parts / 32) * 32);
  const ranges: CoordinateRange[] = [];
  for (let from = 0; from < length; from += step) ranges.push({ from, to: Math.min(from + step, length) });
  return ranges;
}
