import { createHash } from 'node:crypto';

/**
 * Draws `count` candidates without replacement. The draw is a pure function of (seed, round, public keys): each
 * candidate gets the rank SHA-256(seed, sequence, key), and the lowest ranks are taken, so the same fleet and
 * seed give the same cohort whatever the order in which devices came online. Those with fewer `turns` come first: where
 * turns are counted, nobody is drawn again before all others that are there were.
 */
export function sampleCohort<T extends { public_key: string; turns: number }>(
  candidates: readonly T[],
  count: number,
  seed: number,
  sequence: number,
): T[] {
  return candidates
    .map((candidate) => ({ candidate, rank: drawDigest('cohort', seed, sequence, candidate.public_key) }))
    .sort((a, b) => a.candidate.turns - b.candidate.turns || (a.rank < b.rank ? -1 : 1))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** The seed (32 bits) of everything random that one device does in one round. */
export function assignmentSeed(seed: number, sequence: number, publicKey: string): number {
  return Number.parseInt(drawDigest('assignment', seed, sequence, publicKey).slice(0, 8), 16);
}

function drawDigest(purpose: string, seed: number, sequence: number, publicKey: string): string {
  return createHash('sha256').update(`${purpose}\n${seed}\n${sequence}\n${publicKey}`).digest('hex');
}
