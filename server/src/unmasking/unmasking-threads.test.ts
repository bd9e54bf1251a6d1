import { applyMasks, bestMasks, newVector, type MaskTerm, type RingVector } from '@starling/secure';
import { afterEach, describe, expect, it } from 'vitest';
import { UnmaskingFailed, type Unmasking } from './unmasking.ts';
import { unmaskingThreads, type UnmaskingThreadsOptions } from './unmasking-threads.ts';

const masks = bestMasks();
const terms = Array.from({ length: 7 }, (_, at): MaskTerm => ({
  key: new Uint8Array(32).fill(at + 1),
  sign: at % 3 === 0 ? 1 : -1,
}));

function sumOf(ring: 16 | 32, length: number): RingVector {
  return newVector(ring, length).map((_, at) => Math.imul(at, 0x9e3779b1));
}

function unmasked(ring: 16 | 32, length: number): RingVector {
  const sum = sumOf(ring, length);
  applyMasks(masks, terms, sum);
  return sum;
}

let open: Unmasking[] = [];
afterEach(async () => {
  await Promise.all(open.map((unmasking) => unmasking.close()));
  open = [];
});

function threadsOf(options: UnmaskingThreadsOptions): Unmasking {
  const unmasking = unmaskingThreads({ wordsAtOnce: 0, ...options });
  open.push(unmasking);
  return unmasking;
}

/** A thread that does this with the first message that it gets. */
const threadThat = (deed: string) =>
  new URL(
    `data:text/javascript,import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${deed} });`,
  );

describe('unmasking in threads', () => {
  it.each([
    [1, 16],
    [1, 32],
    [2, 16],
    [2, 32],
    [3, 32],
  ] as const)('gives with %i of them the bits of one loop (%i bits)', async (threads, ring) => {
    const unmasking = threadsOf({ threads });
    // Ranges that end within a block of the stream, one coordinate, more ranges than threads.
    for (const length of [1, 31, 100_003]) {
      const sum = sumOf(ring, length);
      await unmasking.apply(terms, sum);
      expect(sum).toEqual(unmasked(ring, length));
    }
  });

  it('does several sums at a time', async () => {
    const unmasking = threadsOf({ threads: 2 });
    const sums = [20_000, 1000, 50_001].map((length) => sumOf(32, length));
    await Promise.all(sums.map((sum) => unmasking.apply(terms, sum)));
    for (const sum of sums) expect(sum).toEqual(unmasked(32, sum.length));
  });

  it('does small sums at once, without a thread', async () => {
    const unmasking = threadsOf({ wordsAtOnce: 7 * 500, entry: threadThat('process.exit(1)') });
    const sum = sumOf(32, 500);
    await unmasking.apply(terms, sum);
    expect(sum).toEqual(unmasked(32, 500));
    await expect(unmasking.apply(terms, sumOf(32, 501))).rejects.toThrow(UnmaskingFailed);
  });

  it('lets others run meanwhile', async () => {
    const unmasking = threadsOf({ threads: 1 });
    let isDone = false;
    const work = unmasking.apply(terms, sumOf(32, 1_000_000)).then(() => (isDone = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    await work;
  });

  it.each([
    ['ends', 'process.exit(1)'],
    ['throws', 'throw new Error("out of memory")'],
  ])('fails where a thread %s, whichever it was, and does not wait for ever', async (_, deed) => {
    const unmasking = threadsOf({ threads: 2, entry: threadThat(deed) });
    const [first, second] = [sumOf(32, 40_000), sumOf(32, 40_000)].map((sum) => unmasking.apply(terms, sum));
    await expect(first).rejects.toThrow(UnmaskingFailed);
    await expect(second).rejects.toThrow(UnmaskingFailed);
    await expect(unmasking.apply(terms, sumOf(32, 40_000))).rejects.toThrow(UnmaskingFailed);
  });

  it('starts another thread in the place of one that died', async () => {
    const unmasking = threadsOf({ threads: 1 });
    const wrong = [...terms, { key: new Uint8Array(31), sign: 1 } as const];
    await expect(unmasking.apply(wrong, sumOf(32, 40_000))).rejects.toThrow(/has failed: /);
    const sum = sumOf(32, 40_000);
    await unmasking.apply(terms, sum);
    expect(sum).toEqual(unmasked(32, 40_000));
  });

  it('gives up what it is at when it is closed', async () => {
    const unmasking = threadsOf({ threads: 1, entry: threadThat('') });
    const work = expect(unmasking.apply(terms, sumOf(32, 40_000))).rejects.toThrow(UnmaskingFailed);
    await unmasking.close();
    await work;
    await expect(unmasking.apply(terms, sumOf(32, 1))).rejects.toThrow(UnmaskingFailed);
  });
});
