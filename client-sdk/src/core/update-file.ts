import { writeUpdateFile, type Assignment } from '@starling/protocol';
import { handIn, type Contribution } from './contribution.ts';

/**
 * The update file: one tensor a block of the assignment, rounded as the block says, and the weight (at most `maxWeight`).
 * The only thing made of a device's data that ever leaves it. Throws WorkError, see {@link handIn}.
 */
export function updateFile(
  assignment: Pick<Assignment, 'blocks' | 'maxWeight' | 'seed'>,
  contribution: Contribution,
): Uint8Array {
  const { blocks, weight } = handIn(assignment, contribution);
  const values = Object.fromEntries(assignment.blocks.map(({ name }, index) => [name, blocks[index]!]));
  return writeUpdateFile(assignment.blocks, values, weight);
}
