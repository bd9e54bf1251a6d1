import type { Host } from '../../core/ports.ts';
import { fetchHttp } from '../shared/fetch-http.ts';
import { socketChannel } from '../shared/socket-channel.ts';
import { timerClock } from '../shared/timer-clock.ts';
import { browserConditions } from './conditions.ts';
import { idbStorage } from './idb-storage.ts';
import { oneTab } from './one-tab.ts';
import { workerTrainer } from './worker-trainer.ts';

export interface BrowserHostOptions {
  /** Name of the device on this origin: its IndexedDB database and its lock. `starling` unless told. */
  readonly name?: string;
  /** Where train-worker.js is served, on the page's own origin; beside the bundle unless told. */
  readonly workerUrl?: string | URL;
}

/**
 * A device in a browser: state in IndexedDB, training in a web worker, one tab of several takes part. In a hidden tab
 * it goes on: from offer to upload everything is driven by messages and answers, which browsers do not slow down as
 * they do timers.
 */
export function browserHost({
  name = 'starling',
  workerUrl = new URL('./train-worker.js', import.meta.url),
}: BrowserHostOptions = {}): Host {
  return {
    platform: 'web',
    storage: idbStorage(name),
    http: fetchHttp,
    channel: socketChannel,
    trainer: workerTrainer(workerUrl),
    clock: timerClock,
    subtle: crypto.subtle, // undefined on pages that are not served over TLS
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    conditions: browserConditions,
    exclusively: oneTab(name),
  };
}
