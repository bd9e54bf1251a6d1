import { degreeFor } from '@starling/secure';
import { assumptions } from '@starling/server/rules';

/**
 * Fewest members that have to stay for a group of `size` to be summed: each of them needs the threshold of its neighbours, in
 * a large group as many as there are on average.
 */
export function fewestSurvivors(size: number): number {
  const { corruptPermille, dropOutPermille, privacyBits, correctnessBits } = assumptions;
  const { degree, threshold } = degreeFor(
    size,
    corruptPermille / 1000,
    dropOutPermille / 1000,
    privacyBits,
    correctnessBits,
  );
  return Math.min(size, 1 + Math.ceil((threshold * (size - 1)) / degree));
}
