import type { DelayWindow, Random } from './ports.ts';

const firstMs = 500;
const mostMs = 60_000;

/** No server keeps a device away for longer. */
const longestReturnMs = 24 * 3_600_000;

/**
 * How long to wait before attempt `attempt` + 1, counted from 0: exponential back-off with full jitter, a delay drawn
 * from [0, min(60 s, 0.5 s * 2^attempt)), so that a fleet that lost its server does not come back as one.
 */
export function backoffMs(attempt: number, random: Random): number {
  return Math.floor(Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 20)) * fraction(random));
}

/** A delay from the window that a server named as it went; what is no window counts as none. */
export function returnDelayMs({ minDelayMs, maxDelayMs }: DelayWindow, random: Random): number {
  const isWindow = minDelayMs >= 0 && maxDelayMs >= minDelayMs && maxDelayMs <= longestReturnMs;
  return isWindow
    ? Math.floor(minDelayMs + (maxDelayMs - minDelayMs) * fraction(random))
    : backoffMs(0, random);
}

/** From [0, 1). */
function fraction(random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return (high * 256 + low) / 65_536;
}
