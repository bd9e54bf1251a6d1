/**
 * Pace steering (Bonawitz et al. 2019, section 2.3): when devices that have nothing to do are to come back. Delays are
 * relative, and drawn from a window that grows with the fleet, so that arrivals stay bounded however many wait and even
 * if all of them came at one moment.
 */

/** Arrivals that a node wants in a second at most. */
const arrivalsPerSecond = 200;

/** Nobody is sent away for longer: a fleet of which the node has lost sight comes back within it. */
const longestDelayMs = 24 * 3_600_000;

export interface DelayWindow {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/**
 * The window for one of `waiting` devices that keep coming back: the plan's own, widened. Devices that come back after
 * delays drawn uniformly from [a, a + w) arrive at most e / w times a second each (the renewal density at t = a + w for
 * a = 0), so a width of e * waiting / rate keeps all of them within the rate.
 */
export function delayWindow(plan: DelayWindow, waiting: number, rate = arrivalsPerSecond): DelayWindow {
  const { minDelayMs } = plan;
  const width = Math.max(plan.maxDelayMs - minDelayMs, (1000 * Math.E * waiting) / rate);
  return { minDelayMs, maxDelayMs: Math.min(Math.ceil(minDelayMs + width), longestDelayMs) };
}

/** The window for devices whose connections end with this node: each comes back once, so the width is their number over the rate. */
export function returnWindow(connected: number, rate = arrivalsPerSecond): DelayWindow {
  return { minDelayMs: 0, maxDelayMs: Math.min(Math.ceil((1000 * connected) / rate), longestDelayMs) };
}

/** A delay of the window; `random` is in [0, 1). */
export function delayFrom({ minDelayMs, maxDelayMs }: DelayWindow, random: number): number {
  return Math.floor(minDelayMs + random * Math.max(0, maxDelayMs - minDelayMs));
}
