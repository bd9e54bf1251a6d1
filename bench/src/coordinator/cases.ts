import type { Cases } from '../benches.ts';
import { benchJoining, benchLive } from './rounds.ts';

/** By name, in the order in which they are run: each in a process of its own. */
export const coordinatorCases: Cases = {
  'round-1000': benchJoining,
  'live-rounds': benchLive,
};
