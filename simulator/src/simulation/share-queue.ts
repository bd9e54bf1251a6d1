import type { Share } from './crew.ts';

/** Shares of a round that wait for a worker. One is open until it is done; what was done by a worker that is lost opens again. */
export class ShareQueue {
  readonly #waiting: Share[];
  #open: number;
  #wake: () => void = () => undefined;
  #changed: Promise<void>;
  /** Resolves when all are done. */
  readonly done: Promise<void>;
  readonly #finish: () => void;

  constructor(shares: readonly Share[]) {
    this.#waiting = [...shares];
    this.#open = shares.length;
    this.#changed = this.#nextChange();
    const { promise, resolve } = signal();
    this.done = promise;
    this.#finish = resolve;
    if (this.#open === 0) resolve();
  }

  /** The next to be done, when there is one; `undefined` when all are done. */
  async take(): Promise<Share | undefined> {
    for (;;) {
      const share = this.#waiting.shift();
      if (share || this.#open === 0) return share;
      await this.#changed;
    }
  }

  finish(): void {
    this.#open--;
    if (this.#open > 0) return;
    this.#finish();
    this.#change();
  }

  /** Takes back a share that was not done, and shares that were. */
  reopen(share: Share, done: readonly Share[]): void {
    this.#waiting.push(share, ...done);
    this.#open += done.length;
    this.#change();
  }

  #change(): void {
    const wake = this.#wake;
    this.#changed = this.#nextChange();
    wake();
  }

  #nextChange(): Promise<void> {
    const { promise, resolve } = signal();
    this.#wake = resolve;
    return promise;
  }
}

function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
