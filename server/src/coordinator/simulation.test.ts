/** The short form of the simulation; `npm run test:soak` is the long one (docs/reliability.md). */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pastPrograms } from './testing/past-programs.ts';
import { clearPrograms, securePrograms, type Program } from './testing/program.ts';
import { brokenRules } from './testing/invariants.ts';
import { simulate } from './testing/simulation.ts';
import { allWork, programOf } from './testing/simulations.ts';
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

  it.each([
    ['counts an update twice', "update assignments set state = 'counted' where state = 'dropped'"],
    [
      'moves a round backwards',
      "update rounds set state = 'selecting', ended_at = null where state = 'published'",
    ],
    ['loses an update', "update assignments set state = 'dropped', reason = 'late' where state = 'counted'"],
  ])('notices a coordinator that %s', async (_, sql) => {
    const program = programOf([allWork(6), allWork(6)], { goal: 1, minimum: 1, overSelection: 2 });
    await simulate(database, program);
    expect(await brokenRules(database, [])).toEqual([]);
    await database.query(sql);
    expect(await brokenRules(database, [])).not.toEqual([]);
  });
});
