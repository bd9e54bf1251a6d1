import { randomBytes } from 'node:crypto';
import { combine, split } from '@starling/secure';
import { minimum } from '../statistics.ts';
import { row, timesOf, verdict, type Report } from './rows.ts';

const holders = 100;
const threshold = 67;
const runs = 300;

/** Two secrets of 32 bytes, as a device shares them. */
export async function benchShamir(report: Report): Promise<void> {
  const name = 'shamir';
  const secret = new Uint8Array(randomBytes(64));
  const points = Array.from({ length: holders }, (_, at) => at + 1);
  const random = (length: number) => new Uint8Array(randomBytes(length));
  const values = split(secret, points, threshold, random);
  const shares = points.slice(20).map((point) => ({ point, value: values[point - 1]! }));
  if (!combine(shares, threshold).every((byte, at) => byte === secret[at])) {
    throw new Error('The shares do not give the secret.');
  }
  const share = () => split(secret, points, threshold, random);
  const rebuild = () => combine(shares, threshold);
  await timesOf(runs, share);
  await timesOf(runs, rebuild);
  const shareMs = await timesOf(runs, share);
  const rebuildUs = (await timesOf(runs, rebuild)).map((time) => 1000 * time);
  report(row(name, 'starling', `share 64 B, ${threshold} of ${holders}`, 'ms', shareMs));
  report(row(name, 'starling', `rebuild 64 B, ${threshold} of ${holders}`, 'us', rebuildUs));
  report(verdict(name, 'share', minimum(shareMs), 1, 'ms'));
  report(verdict(name, 'rebuild', minimum(rebuildUs), 40, 'us'));
  report({ bench: 'secure', case: name, contender: 'flower 1.41', quoted: '32 B: 176 ms, 310 ms' });
}
