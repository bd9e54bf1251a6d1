/**
 * How many neighbours and which threshold a group needs: Bell, Bonawitz, Gascon, Lepoint, Raykova, "Secure single-server
 * aggregation with (poly)logarithmic overhead" (2020), section 3. Exact hypergeometric tails in integers, so that every
 * device computes the same numbers.
 */

export interface Degree {
  /** Neighbours of each member: it shares masks with them, and they hold the shares of its secrets. */
  readonly degree: number;
  /** Shares that rebuild a secret. More than half of the degree. */
  readonly threshold: number;
}

/** No group of these properties exists. */
export class DegreeError extends Error {
  override readonly name = 'DegreeError';
  readonly code = 'no-degree';
}

/** Members up to which everyone is everyone's neighbour. */
export const largestCompleteGroup = 64;

/** Shares lie on the points 1..254 of GF(2^8). */
export const largestDegree = 254;

/**
 * Degree and threshold of a group of `size` members (3 to 65,535).
 *
 * Up to 64 members the graph is complete and the threshold is two thirds of the neighbours. Above, it is the smallest
 * even degree up to 254 with a threshold above its half such that, in a random regular graph, each of these has at most
 * the stated probability, summed over all members (union bound):
 * - privacy, 2^-securityBits: a member has `threshold` or more corrupt neighbours;
 * - correctness, 2^-correctnessBits: a member that stays has fewer than `threshold` neighbours that stay.
 *
 * `corrupt` and `dropOut` are fractions of the group in [0, 1), taken to the nearest thousandth; their numbers of members
 * are rounded down. Bits are whole numbers from 1 to 255. Throws {@link DegreeError} where no degree suffices, or where
 * two thirds of a complete graph may be corrupt.
 */
export function degreeFor(
  size: number,
  corrupt: number,
  dropOut: number,
  securityBits: number,
  correctnessBits: number,
): Degree {
  if (!Number.isInteger(size) || size < 3 || size > 65_535) {
    throw new DegreeError(
      `A group has 3 to 65535 members, not ${size}: with two, the sum tells each the other's part.`,
    );
  }
  for (const [name, fraction] of Object.entries({ corrupt, dropOut })) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw new DegreeError(`The fraction ${name} lies in [0, 1), and is ${fraction}.`);
    }
  }
  for (const [name, bits] of Object.entries({ securityBits, correctnessBits })) {
    if (!Number.isInteger(bits) || bits < 1 || bits > 255) {
      throw new DegreeError(`${name} is a whole number from 1 to 255, and is ${bits}.`);
    }
  }
  const others = size - 1;
  const corrupted = membersOf(size, corrupt);
  const staying = Math.max(0, others - membersOf(size, dropOut));
  if (size <= largestCompleteGroup) {
    const threshold = Math.floor((2 * others) / 3) + 1;
    if (corrupted >= threshold) {
      throw new DegreeError(
        `${corrupted} corrupt members of ${size} could rebuild every secret: lower the fraction.`,
      );
    }
    return { degree: others, threshold };
  }
  for (let degree = 2; degree <= Math.min(others, largestDegree); degree += degree + 1 === others ? 1 : 2) {
    const threshold = safeThreshold(size, corrupted, degree, securityBits);
    if (threshold !== undefined && staysAbove(size, staying, degree, threshold, correctnessBits)) {
      return { degree, threshold };
    }
  }
  throw new DegreeError(
    `No degree up to ${largestDegree} serves ${size} members with ${corrupt} corrupt and ${dropOut} dropping out. Form smaller groups.`,
  );
}

/** Smallest threshold above half of the degree that keeps privacy; undefined where even the whole degree does not. */
function safeThreshold(size: number, corrupted: number, degree: number, bits: number): number | undefined {
  const { first, terms, total } = hypergeometric(size - 1, corrupted, degree);
  let tail = 0n;
  let threshold = first + terms.length; // P[X >= threshold] = 0
  while (threshold > first && isRare(tail + terms[threshold - 1 - first]!, total, size, bits)) {
    tail += terms[threshold - 1 - first]!;
    threshold--;
  }
  const lowest = Math.max(threshold, Math.floor(degree / 2) + 1);
  return lowest <= degree ? lowest : undefined;
}

function staysAbove(size: number, staying: number, degree: number, threshold: number, bits: number): boolean {
  const { first, terms, total } = hypergeometric(size - 1, staying, degree);
  let tail = 0n;
  for (let at = 0; at < terms.length && first + at < threshold; at++) tail += terms[at]!;
  return isRare(tail, total, size, bits);
}

/** Whether members * ways / total <= 2^-bits. */
function isRare(ways: bigint, total: bigint, members: number, bits: number): boolean {
  return (BigInt(members) * ways) << BigInt(bits) <= total;
}

/**
 * Ways to draw `drawn` of `population`, of which `marked` are marked, by the number of marked ones among them:
 * terms[i] = C(marked, first + i) C(population - marked, drawn - first - i), and their sum.
 */
function hypergeometric(
  population: number,
  marked: number,
  drawn: number,
): { first: number; terms: bigint[]; total: bigint } {
  const first = Math.max(0, drawn - (population - marked));
  const last = Math.min(marked, drawn);
  let term = binomial(marked, first) * binomial(population - marked, drawn - first);
  const terms = [term];
  let total = term;
  for (let x = first; x < last; x++) {
    term =
      (term * BigInt((marked - x) * (drawn - x))) / BigInt((x + 1) * (population - marked - drawn + x + 1));
    terms.push(term);
    total += term;
  }
  return { first, terms, total };
}

function binomial(n: number, k: number): bigint {
  let value = 1n;
  for (let i = 1; i <= k; i++) value = (value * BigInt(n - k + i)) / BigInt(i);
  return value;
}

/** Exact where the fraction is a multiple of a thousandth: 0.29 of 100 is 29, not 28. */
function membersOf(size: number, fraction: number): number {
  return Math.floor((size * Math.round(fraction * 1000)) / 1000);
}
