/** The test files that `npm run test:cluster` runs. */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Those in Python, of cluster/. */
export const filesInPython = () => filesIn('cluster/tests', /^test_.*\.py$/).sort();

/** Those of every room that start a real Ray head. */
export const filesOnRay = () =>
  readdirSync(root)
    .filter((room) => existsSync(`${root}${room}/src`))
    .flatMap((room) => filesIn(`${room}/src`, /\.cluster-test\.ts$/))
    .sort();

function filesIn(directory, pattern) {
  return readdirSync(root + directory, { recursive: true })
    .filter((name) => pattern.test(name))
    .map((name) => `${directory}/${name}`);
}
