/**
 * Runs all tests, names what was skipped, and ends with the counts alone on a line. With `--with-cluster`, as `.ci/run` has
 * it, also those of `npm run test:cluster` where STARLING_CI_CLUSTER is 1; else they are skipped, file by file.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { filesInPython, filesOnRay } from './cluster-files.mjs';
import { runVitest } from './run-vitest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const others = process.argv.slice(2);
const place = others.indexOf('--with-cluster');
if (place >= 0) others.splice(place, 1);

const found = runVitest(others);
if (place >= 0) await addCluster();
for (const name of found.skipped) console.log(`skipped: ${name}`);
console.log(`${found.passed} passed, ${found.failed} failed, ${found.skipped.length} skipped`);
process.exit(found.failed > 0 || !found.succeeded ? 1 : 0);

async function addCluster() {
  if (process.env.STARLING_CI_CLUSTER !== '1') {
    const files = [...filesInPython(), ...filesOnRay()];
    console.log(
      `SKIPPED: every test on a real Ray, PyTorch and MindSpore (${files.length} files, each counted as one). They take 8.5 GB of packages and a quarter of an hour more than this run has. STARLING_CI_CLUSTER=1 .ci/run runs them too.`,
    );
    found.skipped.push(...files);
    return;
  }
  const child = spawn(process.execPath, ['scripts/test-cluster.mjs'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    output = (output + chunk).slice(-1000);
  });
  const [status] = await once(child, 'close');
  const [, passed = 0, failed = 1, skipped = 0] =
    /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(output) ?? [];
  found.passed += Number(passed);
  found.failed += Number(failed);
  found.skipped.push(...Array(Number(skipped)).fill('a test of the cluster: see above'));
  found.succeeded &&= status === 0;
}
