/** Runs vitest and reads its report. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What a run found: how many tests passed and failed (files that did not run among them), the names of those skipped. */
export function runVitest(others, environment = {}) {
  const place = mkdtempSync(join(tmpdir(), 'starling-test-'));
  const report = join(place, 'report.json');
  const vitest = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...others,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } },
  );
  try {
    return { ...read(JSON.parse(readFileSync(report, 'utf8'))), succeeded: vitest.status === 0 };
  } catch {
    console.error('The test run wrote no report: it did not get as far as its tests.');
    return { passed: 0, failed: 1, skipped: [], succeeded: false };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function read({ testResults }) {
  const tests = testResults.flatMap((file) => file.assertionResults);
  const those = (...states) => tests.filter((test) => states.includes(test.status));
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  for (const file of broken) console.log(`did not run: ${file.name}`);
  return {
    passed: those('passed').length,
    failed: those('failed').length + broken.length,
    skipped: those('skipped', 'pending', 'todo', 'disabled').map((test) => test.fullName),
  };
}
