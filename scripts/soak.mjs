/**
 * The long tests: `npm run test:soak -- [--minutes M] [--seed S] [--only simulation|processes]`. Random programs on the
 * simulated coordinator for M minutes (10 by default), then a server and devices in processes of their own, with kills, for
 * M more. A program that fails is shrunk, and printed with its seed.
 */
import fc from 'fast-check';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const firstSeed = Number(values.seed);
const parts = values.only === undefined ? ['simulation', 'processes'] : [values.only];
if (
  !(minutes > 0) ||
  !Number.isInteger(firstSeed) ||
  !parts.every((part) => ['simulation', 'processes'].includes(part))
) {
  console.error(
    'soak: --minutes is a number above 0, --seed a whole number, --only "simulation" or "processes".',
  );
  process.exit(2);
}

async function simulation() {
  const folder = '../server/dist/coordinator/testing';
  const { clearPrograms, securePrograms } = await import(`${folder}/program.js`);
  const { simulate } = await import(`${folder}/simulation.js`);
  const { VirtualDatabase } = await import(`${folder}/virtual-database.js`);
  const database = await VirtualDatabase.open();
  const end = Date.now() + minutes * 60_000;
  let programs = 0;
  for (let seed = firstSeed; Date.now() < end; seed++) {
    for (const [kind, arbitrary, numRuns] of [
      ['clear', clearPrograms, 40],
      ['secure', securePrograms, 10],
    ]) {
      const found = await fc.check(
        fc.asyncProperty(arbitrary, (program) => simulate(database, program)),
        { seed, numRuns },
      );
      programs += found.numRuns;
      if (found.failed) {
        console.error(
          `soak: a program of ${kind} tasks fails (seed ${seed}, path ${found.counterexamplePath}):`,
        );
        console.error(JSON.stringify(found.counterexample?.[0], null, 1));
        console.error(found.errorInstance);
        process.exit(1);
      }
    }
    console.log(`soak: ${programs} programs hold, up to seed ${seed}`);
  }
  await database.close();
}

async function processes() {
  const { soakProcesses } = await import('../tests/dist/testing/process-soak.js');
  const report = await soakProcesses({ minutes, say: (line) => console.log(`soak: ${line}`) });
  console.log(`soak: ${JSON.stringify(report)}`);
}

if (parts.includes('simulation')) await simulation();
if (parts.includes('processes')) await processes();
process.exit(0);
