import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Happening } from './testing/program.ts';
import { allWork, pass, poll, programOf } from './testing/simulations.ts';
import { simulate } from './testing/simulation.ts';
import { VirtualDatabase } from './testing/virtual-database.ts';

let database: VirtualDatabase;
beforeAll(async () => {
  database = await VirtualDatabase.open();
});
afterAll(() => database.close());

const fail = (device: number): Happening => ({ kind: 'deed', device, node: 0, deed: 'fail' });
/** Two accept, and every device that is asked gives up. */
const allFail = [allWork(2), fail(0), fail(1), fail(2)];
const after = (ms: number) => [pass(ms), poll];

/** Of each round in turn: its state, and how many seconds it waited before it asked devices. */
function delays(): Promise<{ state: string; delay: number | null }[]> {
  return database.query(
    `select state, extract(epoch from offers_from - opened_at)::float8 as delay from rounds order by sequence`,
  );
}

describe('a task whose devices all fail', { timeout: 60_000 }, () => {
  it('asks them at longer and longer intervals, until a round is published', async () => {
    const rounds = [
      ...[...allFail, ...allFail],
      ...[...allFail, ...after(999), ...allFail], // it waits: they are not asked
      ...[...after(1), ...allFail],
      ...[...after(2_000), ...allFail],
      ...[...after(4_000), allWork(6)],
      ...[...allFail, ...allFail],
    ];
    await simulate(database, programOf(rounds, { goal: 2, minimum: 2, rounds: 2 }));
    expect(await delays()).toEqual([
      { state: 'abandoned', delay: null },
      { state: 'abandoned', delay: null },
      { state: 'abandoned', delay: 1 },
      { state: 'abandoned', delay: 2 },
      { state: 'published', delay: 4 },
      { state: 'abandoned', delay: null },
      { state: 'abandoned', delay: null },
    ]);
  });

  it('is not made to wait for ever: five minutes at most', async () => {
    const failed = Array.from({ length: 12 }, (_, index) => [
      ...after(index < 2 ? 0 : Math.min(300_000, 1000 * 2 ** (index - 2))),
      ...allFail,
    ]);
    await simulate(database, programOf(failed.flat(), { goal: 2, minimum: 2, rounds: 2 }));
    const longest = (await delays()).map(({ delay }) => delay);
    expect(longest.slice(0, 6)).toEqual([null, null, 1, 2, 4, 8]);
    expect(Math.max(...longest.map((delay) => delay ?? 0))).toBe(300);
  });
});
