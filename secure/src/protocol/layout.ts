/** What everyone computes from the terms and the roster. */
import { degreeFor, DegreeError, type Degree } from '../groups/degree.ts';
import { completeGraph, randomGraph, type Graph } from '../groups/graph.ts';
import type { Masks } from '../masks/masks.ts';
import { Refusal } from './refusal.ts';
import type { GroupTerms } from './terms.ts';

/** Degree and threshold of a group of `size` under its terms. Throws {@link Refusal} `no-degree`. */
export function degreeOf(terms: GroupTerms, size: number): Degree {
  try {
    return degreeFor(
      size,
      terms.corruptPermille / 1000,
      terms.dropOutPermille / 1000,
      terms.privacyBits,
      terms.correctnessBits,
    );
  } catch (error) {
    if (error instanceof DegreeError) throw new Refusal('no-degree', error.message);
    throw error;
  }
}

/** Whether everyone is everyone's neighbour: then nothing is drawn, and no nonces are needed. */
export function isComplete(size: number, { degree }: Degree): boolean {
  return degree === size - 1;
}

export function graphOf(size: number, degree: Degree, seed: Uint8Array, masks: Pick<Masks, 'add32'>): Graph {
  return isComplete(size, degree) ? completeGraph(size) : randomGraph(size, degree.degree, seed, masks);
}

/** Signatures that a set of survivors needs: two thirds of the roster. Two sets cannot both have them honestly. */
export function quorumOf(size: number): number {
  return Math.ceil((2 * size) / 3);
}
