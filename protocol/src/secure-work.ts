import { canonicalJson, sha256, utf8Encode } from './codec/index.ts';
import type { Plan } from './schemas/plan.ts';
import type { Assignment } from './schemas/resources.ts';

/**
 * SHA-256 (hexadecimal) of what a device of a secure task agreed to do: everything of its assignment that decides what its
 * update says and who sees it. Device and server take it of the same assignment, and the terms of the group name it, so
 * devices that were told different things never mask for each other.
 */
export function digestOfWork({
  taskId,
  roundId,
  work,
  model,
  blocks,
  maxWeight,
  secure,
}: Pick<Assignment, 'taskId' | 'roundId' | 'work' | 'model' | 'blocks' | 'maxWeight' | 'secure'>): string {
  const { ring, minimum, largest } = secure ?? {};
  const text = canonicalJson({
    ...{ taskId, roundId, work, blocks, maxWeight },
    model: { ir: model.ir, weights: model.weights, learnedRates: model.learnedRates },
    secure: secure ? { ring, minimum, largest } : null,
  });
  return sha256(utf8Encode(`starling/v1/work\0${text}`));
}

/** Most members of a group of this plan: the target, and a remainder too small for a group of its own. */
export function largestGroup({ groupSize }: NonNullable<Plan['secure']>): number {
  return groupSize.target + groupSize.minimum - 1;
}
