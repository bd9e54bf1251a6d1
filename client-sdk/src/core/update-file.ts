import { writeUpdateFile, type Assignment, type UpdateBlock } from '@starling/protocol';
import { WorkError } from './errors.ts';
import { roundStochastically } from './stochastic-rounding.ts';

/** What a piece of work gives: values for each block of the assignment, and their weight. */
export interface Contribution {
  readonly values: Partial<Record<UpdateBlock['name'], ArrayLike<number>>>;
  readonly weight: number;
}

/**
 * The update file: one tensor a block of the assignment, rounded as the block says, and the weight (at most `maxWeight`).
 * The only thing made of a device's data that ever leaves it. Throws WorkError `update-not-finite`, `update-out-of-range` (the server would
 * refuse such values) and `update-wrong-shape`.
 */
export function updateFile(
  { blocks, maxWeight, seed }: Pick<Assignment, 'blocks' | 'maxWeight' | 'seed'>,
  { values, weight }: Contribution,
): Uint8Array {
  for (const block of blocks) requireFit(block, values[block.name] ?? []);
  const rounded = { ...values };
  for (const block of blocks) {
    if (block.rounding === 'stochastic')
      rounded[block.name] = roundStochastically(values[block.name] ?? [], block, seed);
  }
  return writeUpdateFile(blocks, rounded, Math.min(Math.max(1, Math.round(weight)), maxWeight));
}

function requireFit({ name, size, clip }: UpdateBlock, values: ArrayLike<number>): void {
  if (values.length !== size) {
    throw new WorkError(
      'update-wrong-shape',
      `The round asks for ${size} values of "${name}", the model gives ${values.length}. Server and SDK disagree about this work; update the SDK.`,
    );
  }
  for (let index = 0; index < size; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) {
      throw new WorkError(
        'update-not-finite',
        `Value ${index} of "${name}" is ${value}: training went astray.`,
      );
    }
    if (Math.abs(value) > clip) {
      throw new WorkError(
        'update-out-of-range',
        `Value ${index} of "${name}" is ${value}; this round carries magnitudes up to ${clip}.`,
      );
    }
  }
}
