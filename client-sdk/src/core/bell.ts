import type { Clock } from './ports.ts';

/** As long as a timer can wait (24 days): until the bell rings. */
export const untilRungMs = 2 ** 31 - 1;

/** Waiting that news can end early. */
export class Bell {
  readonly #waiting = new Set<AbortController>();

  /** Ends every wait. */
  ring(): void {
    for (const waiting of this.#waiting) waiting.abort();
  }

  /** Resolves when the bell rings, after `ms`, or when `signal` aborts. It listens from the moment of the call. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const waiting = new AbortController();
    const end = () => {
      waiting.abort();
    };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', end, { once: true });
    await clock.sleep(ms, waiting.signal);
    signal.removeEventListener('abort', end);
    this.#waiting.delete(waiting);
  }
}
