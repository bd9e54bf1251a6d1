import { degreeFor } from '@starling/secure';

/** What the server assumes of the members of a group: one in ten is curious, one in five drops out. */
const assumed = { corrupt: 0.1, dropOut: 0.2, privacyBits: 40, correctnessBits: 20 };

/**
 * Fewest members that have to stay for a group of `size` to be summed: each of them needs the threshold of its neighbours, in
 * a large group as many as there are on average.
 */
export function fewestSurvivors(size: number): number {
  const { degree, threshold } = degreeFor(
    size,
    assumed.corrupt,
    assumed.dropOut,
    assumed.privacyBits,
    assumed.correctnessBits,
  );
  return Math.min(size, 1 + Math.ceil((threshold * (size - 1)) / degree));
}
