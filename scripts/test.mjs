/** Runs all tests, names what was skipped, and ends with the counts alone on a line. */
import { runVitest } from './run-vitest.mjs';

const { passed, failed, skipped, succeeded } = runVitest(process.argv.slice(2));
for (const name of skipped) console.log(`skipped: ${name}`);
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exit(failed > 0 || !succeeded ? 1 : 0);
