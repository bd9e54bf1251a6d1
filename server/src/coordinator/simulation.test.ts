/** The short form of the simulation; `npm run test:soak` is the long one (docs/reliability.md). */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pastPrograms } from './testing/past-programs.ts';
import { clearPrograms, securePrograms, type Program } from './testing/program.ts';
import { brokenRules } from './testing/invariants.ts';
import { simulate } from './testing/simulation.ts';
import { allWork, operate, programOf } from './testing/simulations.ts';
import { VirtualDatabase } from './testing/virtual-database.ts';

let database: VirtualDatabase;
beforeAll(async () => {
  database = await VirtualDatabase.open();
});
afterAll(() => database.close());

const seed = 20_261_121;

describe('the coordinator under a virtual clock', { timeout: 1_800_000 }, () => {
  it.each(Object.entries(pastPrograms))('holds its invariants with %s', async (_, program) => {
    await expect(simulate(database, program)).resolves.toBeUndefined();
  });

  it.each<[number, string, fc.Arbitrary<Program>]>([
    [400, 'clear', clearPrograms],
    [100, 'secure', securePrograms],
  ])(
    `holds its invariants in %i random programs of %s tasks, from seed ${seed}`,
    async (numRuns, _, programs) => {
      await fc.assert(
        fc.asyncProperty(programs, (program) => simulate(database, program)),
        { seed, numRuns, endOnFailure: true },
      );
      expect(await database.query('select 1 from rounds')).not.toHaveLength(0);
    },
  );
});

describe('the simulation', { timeout: 60_000 }, () => {
  it('publishes what devices that work hand in', async () => {
    await simulate(database, programOf([allWork(6), allWork(6)]));
    expect(await database.query('select state from rounds')).toEqual([{ state: 'published' }]);
  });

  const counted = programOf([allWork(6), allWork(6)], { goal: 1, minimum: 1, overSelection: 2 });
  it.each<[string, Program, string, string]>([
    [
      'counts an update twice',
      counted,
      "update assignments set state = 'counted' where state = 'dropped'",
      'a round says that it counted others than it did',
    ],
    [
      'moves a round backwards',
      counted,
      "update rounds set state = 'selecting', ended_at = null where state = 'published'",
      'went from published to selecting',
    ],
    [
      'loses an update',
      counted,
      "update assignments set state = 'dropped', reason = 'late' where state = 'counted'",
      'a round says that it counted others than it did',
    ],
    [
      'cancels a task that nobody asked it to',
      counted,
      "update tasks set state = 'cancelled'",
      'a row of tasks is as cancelTask alone makes it, and nobody asked for that',
    ],
    [
      'goes on with a task after it said that it is cancelled',
      programOf([operate('cancel')]),
      "update tasks set state = 'running'",
      'the audit log has cancelTask as done, and it is not',
    ],
  ])('notices a coordinator that %s', async (_, program, sql, rule) => {
    await simulate(database, program);
    expect(await brokenRules(database, [])).toEqual([]);
    await database.query(sql);
    expect(String(await brokenRules(database, []))).toContain(rule);
  });
});
