import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clearPrograms } from './testing/program.ts';
import { simulate } from './testing/simulation.ts';
import { VirtualDatabase } from './testing/virtual-database.ts';

let database: VirtualDatabase;
beforeAll(async () => {
  database = await VirtualDatabase.open();
});
afterAll(() => database.close());

const runs = Number(process.env['STARLING_SIMULATIONS'] ?? 500);
const seed = Number(process.env['STARLING_SEED'] ?? 1);

describe('the coordinator under a virtual clock', { timeout: 600_000 }, () => {
  it('works', async () => {
    await fc.assert(
      fc.asyncProperty(clearPrograms, (program) => simulate(database, program)),
      { seed, numRuns: runs, endOnFailure: process.env['STARLING_SHRINK'] === undefined },
    );
    expect(runs).toBeGreaterThan(0);
  });
});
