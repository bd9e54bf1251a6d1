/** What everyone computes from the terms and the roster. */
import { degreeFor, DegreeError, type Degree } from '../groups/degree.ts';
import { completeGraph, randomGraph, type Graph } from '../groups/graph.ts';
import type { Masks } from '../masks/masks.ts';
import { sameBytes } from './bytes.ts';
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

/** The graph drawn last: a device needs it twice, before its shares and before its signature. */
let drawn:
  { readonly size: number; readonly degree: number; readonly seed: Uint8Array; graph: Graph } | undefined;

export function graphOf(size: number, degree: Degree, seed: Uint8Array, masks: Pick<Masks, 'add32'>): Graph {
  if (isComplete(size, degree)) return completeGraph(size);
  const isSame = drawn?.size === size && drawn.degree === degree.degree && sameBytes(drawn.seed, seed);
  if (!drawn || !isSame) {
    const graph = randomGraph(size, degree.degree, seed, masks);
    drawn = { size, degree: degree.degree, seed: seed.slice(), graph };
  }
  return drawn.graph;
}

/** Signatures that a set of survivors needs: two thirds of the roster. Two sets cannot both have them honestly. */
export function quorumOf(size: number): number {
  return Math.ceil((2 * size) / 3);
}
