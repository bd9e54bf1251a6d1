import { Worker } from 'node:worker_threads';
import { WeightedSum } from '@starling/aggregation';
import type { RoundOrder, Share, ThreadAnswer, ThreadMessage, ThreadOrder } from './training-thread.ts';

const entry = new URL('./training-thread.js', import.meta.url);
/** Shares of a round that each thread takes, about: few enough to cost nothing, enough to end together. */
const sharesPerThread = 8;

/**
 * Threads that do the work of devices. Sums are exact integers, so that the result is the same bits whatever the number of threads, and
 * whoever of them did what.
 */
export class Workforce {
  readonly #threads: readonly Thread[];
  #order: RoundOrder | undefined;

  constructor(threads: number, order: ThreadOrder) {
    this.#threads = Array.from({ length: threads }, () => new Thread(order));
  }

  /** Begins a round: the parameters are those in the shared memory now. */
  begin(order: RoundOrder): void {
    this.#order = order;
    for (const thread of this.#threads) thread.post({ kind: 'round', order });
  }

  /** Does the work of devices, and gives those that failed, with the codes of their errors. What the others gave is in the sum. */
  async work(devices: Share['devices']): Promise<ReadonlyMap<number, string>> {
    const size = Math.max(1, Math.ceil(devices.length / (this.#threads.length * sharesPerThread)));
    const failed = new Map<number, string>();
    let next = 0;
    await Promise.all(
      this.#threads.map(async (thread) => {
        while (next < devices.length) {
          const share = { devices: devices.slice(next, (next += size)) };
          const answer = await thread.ask({ kind: 'share', share });
          if (answer.kind !== 'done') throw new TypeError('A share was not answered.');
          for (const [device, code] of answer.failed) failed.set(device, code);
        }
      }),
    );
    return failed;
  }

  /** The sum of the round so far. */
  async sum(): Promise<WeightedSum> {
    if (!this.#order) throw new TypeError('A sum belongs to a round.');
    const { blocks, maxWeight } = this.#order;
    const sums = await Promise.all(
      this.#threads.map(async (thread) => {
        const answer = await thread.ask({ kind: 'sum' });
        if (answer.kind !== 'sum') throw new TypeError('A sum was not answered.');
        return WeightedSum.ofLanes(blocks, { maxWeight }, answer.parts);
      }),
    );
    return sums.reduce((total, sum) => {
      total.merge(sum);
      return total;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/** One thread, which answers one question at a time. */
class Thread {
  readonly #worker: Worker;
  #settle: { resolve: (answer: ThreadAnswer) => void; reject: (error: Error) => void } | undefined;
  #broken: Error | undefined;

  constructor(order: ThreadOrder) {
    this.#worker = new Worker(entry, { workerData: order });
    this.#worker.on('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'broken') this.#fail(new Error(`A training thread failed: ${answer.message}`));
      else this.#settle?.resolve(answer);
    });
    this.#worker.on('error', (error: Error) => {
      this.#fail(error);
    });
    this.#worker.on('exit', (code) => {
      this.#fail(new Error(`A training thread ended with code ${code}.`));
    });
  }

  post(message: ThreadMessage): void {
    this.#worker.postMessage(message);
  }

  async ask(message: ThreadMessage): Promise<ThreadAnswer> {
    if (this.#broken) throw this.#broken;
    const answered = new Promise<ThreadAnswer>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.post(message);
    return answered;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    this.#settle?.reject(error);
  }
}
