/**
 * Secret sharing (Shamir, How to share a secret, 1979) over GF(2^8), byte by byte: any `threshold` shares give the secret,
 * fewer say nothing about it. Time and memory access depend on lengths, points and threshold, never on secret bytes.
 */
import type { RandomBytes } from '../crypto/provider.ts';
import { SecureError } from '../crypto/secure-error.ts';
import { powersOf, weightedSum, weightsAtZero, wordsFor } from './field.ts';

export interface Share {
  /** 1..254; public. */
  readonly point: number;
  /** As long as the secret. */
  readonly value: Uint8Array;
}

const largestPoint = 254;

/**
 * Shares a secret of one or more bytes: share i is the value at points[i], as long as the secret.
 * @param points distinct integers 1..254
 * @param threshold how many shares rebuild it: 1..points.length
 * @param randomBytes asked once for (threshold - 1) * secret.length bytes, which are erased after use
 * @throws SecureError `wrong-length`, `wrong-point`, `repeated-point`, `wrong-threshold`
 */
export function split(
  secret: Uint8Array,
  points: readonly number[],
  threshold: number,
  randomBytes: RandomBytes,
): Uint8Array[] {
  const { length } = secret;
  if (length === 0) throw new SecureError('wrong-length', 'A secret of no bytes cannot be shared.');
  requirePoints(points);
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > points.length) {
    throw new SecureError(
      'wrong-threshold',
      `The threshold for ${points.length} shares is an integer of 1 to ${points.length}, not ${threshold}.`,
    );
  }
  const random = randomBytes((threshold - 1) * length);
  if (random.length !== (threshold - 1) * length) {
    throw new SecureError(
      'wrong-length',
      `The source of randomness answered ${random.length} bytes; ${(threshold - 1) * length} were asked for.`,
    );
  }

  // Coefficients of the polynomial, the secret first: its value at 0.
  const words = wordsFor(length);
  const coefficients = new Int32Array(threshold * words);
  const bytes = new Uint8Array(coefficients.buffer);
  bytes.set(secret);
  for (let power = 1; power < threshold; power++)
    bytes.set(random.subarray((power - 1) * length, power * length), power * words * 4);
  const shares = points.map((point) =>
    toBytes(weightedSum(powersOf(point, threshold), coefficients, words), length),
  );
  bytes.fill(0);
  random.fill(0);
  return shares;
}

/**
 * The secret from its shares: of the first `threshold` of them. A wrong share gives a wrong secret, unnoticed: compare
 * with what is known of it.
 * @throws SecureError `too-few-shares`, `wrong-point`, `repeated-point`, `wrong-length`, `wrong-threshold`
 */
export function combine(shares: readonly Share[], threshold: number): Uint8Array {
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > largestPoint) {
    throw new SecureError(
      'wrong-threshold',
      `A threshold is an integer of 1 to ${largestPoint}, not ${threshold}.`,
    );
  }
  if (shares.length < threshold) {
    throw new SecureError(
      'too-few-shares',
      `${threshold} shares are needed to rebuild the secret; there are ${shares.length}.`,
    );
  }
  requirePoints(shares.map(({ point }) => point));
  const { length } = shares[0]!.value;
  if (length === 0 || shares.some(({ value }) => value.length !== length)) {
    throw new SecureError(
      'wrong-length',
      `Shares of one secret have one length, at least 1; these have ${shares.map(({ value }) => value.length).join(', ')}.`,
    );
  }

  const used = shares.slice(0, threshold);
  const words = wordsFor(length);
  const vectors = new Int32Array(threshold * words);
  const bytes = new Uint8Array(vectors.buffer);
  for (const [at, { value }] of used.entries()) bytes.set(value, at * words * 4);
  const secret = toBytes(weightedSum(weightsOf(used.map(({ point }) => point)), vectors, words), length);
  bytes.fill(0);
  return secret;
}

/** Of the last points asked for: the same holders rebuild many secrets one after another. */
let remembered: { readonly points: readonly number[]; readonly weights: Uint8Array } | undefined;

function weightsOf(points: readonly number[]): Uint8Array {
  const isSame =
    remembered?.points.length === points.length &&
    points.every((point, at) => point === remembered?.points[at]);
  if (!remembered || !isSame) remembered = { points, weights: weightsAtZero(points) };
  return remembered.weights;
}

/** @throws SecureError `wrong-point`, `repeated-point` */
function requirePoints(points: readonly number[]): void {
  const seen = new Uint8Array(largestPoint + 1);
  for (const point of points) {
    if (!Number.isInteger(point) || point < 1 || point > largestPoint) {
      throw new SecureError(
        'wrong-point',
        `A share lies at an integer of 1 to ${largestPoint}, not at ${point}.`,
      );
    }
    if (seen[point] === 1)
      throw new SecureError('repeated-point', `Two shares lie at ${point}; each needs its own point.`);
    seen[point] = 1;
  }
}

function toBytes(words: Int32Array, length: number): Uint8Array {
  const bytes = new Uint8Array(words.buffer).slice(0, length);
  words.fill(0);
  return bytes;
}
