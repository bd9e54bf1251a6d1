import type { Cases } from '../benches.ts';
import { benchDeadlines } from './deadlines.ts';
import { benchFold } from './fold.ts';
import { benchRestart } from './restart.ts';
import { benchJoining, benchLive } from './rounds.ts';
import { benchSockets } from './sockets.ts';
import { benchSlowLink, benchSlowUploads } from './uploads.ts';

/** By name, in the order in which they are run: each in a process of its own. */
export const coordinatorCases: Cases = {
  'round-1000': benchJoining,
  'live-rounds': benchLive,
  'slow-uploads': benchSlowUploads,
  'sockets-10000': benchSockets,
  'slow-link': benchSlowLink,
  'deadlines-240': benchDeadlines,
  fold: benchFold,
  restart: benchRestart,
};
