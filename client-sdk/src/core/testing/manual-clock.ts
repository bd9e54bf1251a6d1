import type { Clock } from '../ports.ts';

interface Timer {
  readonly atMs: number;
  readonly end: () => void;
}

/** Longer waits than this are for news, not for time: `until` does not jump over them. */
const longestJumpMs = 3_600_000;

/** A clock that moves only when a test says so. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: Timer[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** The same, from 2020. */
  wallMs(): number {
    return 1_577_836_800_000 + this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const timer = {
        atMs: this.#nowMs + ms,
        end: () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
          resolve();
        },
      };
      this.#timers.push(timer);
      signal.addEventListener('abort', timer.end, { once: true });
    });
  }

  /** Moves time to the next timer and fires it. */
  fireNext(): void {
    const [next] = this.#timers
      .filter(({ atMs }) => atMs - this.#nowMs <= longestJumpMs)
      .sort((a, b) => a.atMs - b.atMs);
    if (!next) return;
    this.#nowMs = next.atMs;
    next.end();
  }

  /**
   * Lets everything run that can, without moving time: turns of the event loop, in which promises settle.
   */
  async settle(turns = 20): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets things run, and time pass where nothing else moves, until the condition holds. Throws when it never does. */
  async until(condition: () => boolean, what: string): Promise<void> {
    for (let jump = 0; jump < 500; jump++) {
      for (let turn = 0; turn < 20; turn++) {
        if (condition()) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
      this.fireNext();
    }
    throw new Error(`This never happened: ${what}.`);
  }
}
