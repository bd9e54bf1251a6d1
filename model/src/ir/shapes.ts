import { ModelError } from './errors.ts';
import type { Shape } from './schema.ts';

/** A shape as people write it: `[B, 64, 6]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/**
 * Number of values; `B` counts as one.
 * @throws ModelError `model-limit-exceeded` above `most`, before the product can overflow.
 */
export function countValues(shape: Shape, most: number, path: string): number {
  let count = 1;
  for (const axis of shape) {
    if (axis === 'B') continue;
    count *= axis;
    if (count > most)
      throw new ModelError(
        'model-limit-exceeded',
        path,
        `a tensor of shape ${formatShape(shape)} has more than ${most} values; use smaller axes.`,
      );
  }
  return count;
}

/** What inference of shapes throws: the caller adds the place. */
export class ShapeMismatch extends Error {
  override readonly name = 'ShapeMismatch';
}

/** The lengths of the axes behind the batch. @throws ShapeMismatch when there is no batch or another rank. */
export function rowAxes(shape: Shape, rank: number, what: string): readonly number[] {
  if (shape[0] !== 'B' || shape.length !== rank + 1)
    throw new ShapeMismatch(
      `${what} has shape ${formatShape(shape)}; expected a batch with ${rank} more ${rank === 1 ? 'axis' : 'axes'}.`,
    );
  return shape.slice(1) as number[]; // `B` stands only in front: the parser lets no other place through
}

/** The axes behind the batch, `least` or more. @throws ShapeMismatch when there is no batch or there are fewer. */
export function someAxes(shape: Shape, least: number, what: string): readonly number[] {
  if (shape[0] !== 'B' || shape.length <= least)
    throw new ShapeMismatch(
      `${what} has shape ${formatShape(shape)}; expected a batch${least === 0 ? '' : ` with ${least} or more axes`}.`,
    );
  return shape.slice(1) as number[]; // as above
}

/** Axes of a parameter. @throws ShapeMismatch when it carries a batch or has another rank. */
export function fixedAxes(shape: Shape, rank: number, what: string): readonly number[] {
  if (shape[0] === 'B' || shape.length !== rank)
    throw new ShapeMismatch(
      `${what} has shape ${formatShape(shape)}; expected a parameter with ${rank} ${rank === 1 ? 'axis' : 'axes'}.`,
    );
  return shape as readonly number[]; // the test above: no batch in front, so none at all
}

/** @throws ShapeMismatch unless both lengths agree. */
export function expectLength(found: number, wanted: number, what: string): void {
  if (found !== wanted) throw new ShapeMismatch(`${what} is ${found}; expected ${wanted}.`);
}
