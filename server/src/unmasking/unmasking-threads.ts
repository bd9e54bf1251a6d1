import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { applyMasks, bestMasks, splitRange } from '@starling/secure';
import { UnmaskingFailed, type Unmasking } from './unmasking.ts';
import type { RangeOfWork } from './unmasking-worker.ts';

type Words = RangeOfWork['words'];

export interface UnmaskingThreadsOptions {
  readonly threads?: number;
  /** Words of streams, over all masks, up to which a sum is unmasked at once in this thread. */
  readonly wordsAtOnce?: number;
  /** What the threads run. */
  readonly entry?: URL;
}

/**
 * 3 ns each: a millisecond in which nothing else is served. Handing ranges to two threads and back takes half of one, so
 * that smaller sums would gain nothing either.
 */
const defaultWordsAtOnce = 300_000;

/** Ranges a thread gets of one sum: the threads end together, though a neighbour slows one down. */
const rangesPerThread = 4;

interface Job {
  readonly work: RangeOfWork;
  readonly resolve: (words: Words) => void;
  readonly reject: (error: UnmaskingFailed) => void;
}

/**
 * Unmasks in threads, by ranges of coordinates: as many as there are processors to use. They start when they are first
 * needed and wait for more; one that dies takes the sum it worked on with it, and another starts in its place.
 */
export function unmaskingThreads({
  threads = availableParallelism(),
  wordsAtOnce = defaultWordsAtOnce,
  entry = new URL('./unmasking-worker.js', import.meta.url),
}: UnmaskingThreadsOptions = {}): Unmasking {
  const masks = bestMasks(); // for sums that do not pay for threads
  const queue: Job[] = [];
  /** Threads, with what they are at. */
  const running = new Map<Worker, Job | undefined>();
  let isClosed = false;

  function start(): Worker {
    const worker = new Worker(entry);
    running.set(worker, undefined);
    worker.on('message', (words: Words) => {
      const job = running.get(worker);
      running.set(worker, undefined);
      worker.unref();
      job?.resolve(words);
      next();
    });
    let reason = 'it ended';
    worker.on('error', (error: Error) => (reason = error.message));
    worker.on('exit', () => {
      const job = running.get(worker);
      running.delete(worker);
      job?.reject(new UnmaskingFailed(`A thread that unmasks a sum has failed: ${reason}.`));
      next();
    });
    return worker;
  }

  function next(): void {
    while (queue.length > 0 && !isClosed) {
      let idle = [...running].find(([, job]) => job === undefined)?.[0];
      if (!idle && running.size < threads) idle = start();
      if (!idle) return;
      const job = queue.shift()!;
      running.set(idle, job);
      idle.ref();
      idle.postMessage(job.work, [job.work.words.buffer]);
    }
  }

  function run(work: RangeOfWork): Promise<Words> {
    return new Promise((resolve, reject) => {
      queue.push({ work, resolve, reject });
      next();
    });
  }

  return {
    async apply(terms, sum) {
      if (isClosed) throw new UnmaskingFailed('The server is about to end.');
      if (terms.length * sum.length <= wordsAtOnce) {
        applyMasks(masks, terms, sum);
        return;
      }
      const ranges = splitRange(sum.length, threads * rangesPerThread);
      await Promise.all(
        ranges.map(async ({ from, to }) => {
          sum.set(await run({ words: sum.slice(from, to), from, terms }), from);
        }),
      );
    },
    async close() {
      isClosed = true;
      for (const { reject } of queue.splice(0)) reject(new UnmaskingFailed('The server is about to end.'));
      await Promise.all([...running.keys()].map((worker) => worker.terminate()));
    },
  };
}
