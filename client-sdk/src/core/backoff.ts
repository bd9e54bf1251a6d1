import type { Random } from './ports.ts';

const firstMs = 500;
const mostMs = 60_000;

/**
 * How long to wait before attempt `attempt` + 1, counted from 0: exponential back-off with full jitter, a delay drawn
 * from [0, min(60 s, 0.5 s * 2^attempt)), so that a fleet that lost its server does not come back as one.
 */
export function backoffMs(attempt: number, random: Random): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 20));
  const [high = 0, low = 0] = random.bytes(2);
  return Math.floor((ceiling * (high * 256 + low)) / 65_536);
}
