/**
 * Holds the cloud side against what it runs on, in one go: `npm run test:cluster`. Makes a Python environment with the
 * pinned versions of cluster/requirements-test.txt (or takes yours: `-- --python PATH`), runs the tests of cluster/ with
 * it, and the server against a real Ray head. What cannot be had is skipped, and said; a file that does not run at all
 * counts as one. Other arguments are for pytest.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesInPython, filesOnRay } from './cluster-files.mjs';
import { runVitest } from './run-vitest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const requirements = `${root}cluster/requirements-test.txt`;
/** What is installed together, and what is skipped where that fails. */
const groups = [
  { packages: ['numpy', 'pytest'], without: undefined },
  { packages: ['torch', 'onnxruntime'], without: 'PyTorch' },
  { packages: ['mindspore', 'numpy'], without: 'MindSpore' },
  { packages: ['ray[default]'], without: 'Ray' },
];

const others = process.argv.slice(2);
const place = others.indexOf('--python');
const [, given] = place < 0 ? [] : others.splice(place, 2);

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
}

function giveUp(reason) {
  const files = [...filesInPython(), ...filesOnRay()];
  console.log(`SKIPPED: everything. ${reason}`);
  for (const name of files) console.log(`skipped: ${name}`);
  console.log(`0 passed, 0 failed, ${files.length} skipped`);
  process.exit(0);
}

/** The environment of these requirements, made once; what could not be installed is said each time. */
function environment() {
  const pinned = readFileSync(requirements, 'utf8');
  const version = spawnSync('python3', ['-V'], { encoding: 'utf8' });
  if (version.status !== 0) giveUp('There is no python3. Install Python 3.11, or name one with --python.');
  const digest = createHash('sha256')
    .update(pinned + version.stdout)
    .digest('hex');
  const folder = `${root}.starling/cluster-env-${digest.slice(0, 12)}`;
  const python = join(folder, 'bin/python');
  const done = join(folder, 'installed');
  if (existsSync(done)) return python;
  console.log(`Installing torch, MindSpore and Ray into ${folder}: 8.5 GB, some minutes, once.`);
  if (run('python3', ['-m', 'venv', folder]).status !== 0)
    giveUp('python3 cannot make a virtual environment (python3-venv).');
  const pins = pinned.split('\n').filter((line) => /^\w/.test(line));
  let whole = true;
  for (const { packages, without } of groups) {
    const wanted = packages.map((name) => pins.find((pin) => pin.startsWith(`${name}==`)));
    const installed = run(python, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      ...wanted,
    ]);
    if (installed.status === 0) continue;
    whole = false;
    if (without === undefined) giveUp('pip could not install numpy and pytest: see above.');
    console.log(`SKIPPED: what needs ${without}. pip could not install ${wanted.join(', ')}: see above.`);
  }
  if (whole) writeFileSync(done, pinned);
  return python;
}

const built = run(process.execPath, ['scripts/prepare.mjs']);
if (built.status !== 0) process.exit(built.status ?? 1);
const python = given ?? environment();

const reports = mkdtempSync(join(tmpdir(), 'starling-cluster-'));
const report = join(reports, 'pytest.xml');
const pytest = run(python, ['-m', 'pytest', '-rs', `--junit-xml=${report}`, ...others], {
  cwd: `${root}cluster`,
  env: {
    OMP_NUM_THREADS: '1',
    ...process.env,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
  },
});
if (pytest.error) {
  console.error(`${python} cannot be run (${pytest.error.message}); name one with --python.`);
  process.exit(1);
}
const suite = existsSync(report) ? readFileSync(report, 'utf8') : '<testsuite errors="1">';
const told = (name) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
rmSync(reports, { recursive: true, force: true });
const inPython = {
  failed: told('failures') + told('errors'),
  skipped: told('skipped'),
  passed: told('tests') - told('failures') - told('errors') - told('skipped'),
};

const has = (module) => spawnSync(python, ['-c', `import ${module}`]).status === 0;
let onRay = { passed: 0, failed: 0, skipped: [], succeeded: true };
if (has('ray'))
  onRay = runVitest(['--config', 'vitest.cluster.config.js'], {
    STARLING_TEST_PYTHON: python,
    STARLING_TEST_FRAMEWORKS: ['torch', 'mindspore'].filter(has).join(),
  });
else {
  console.log(`SKIPPED: every test on a Ray cluster. ${python} has no ray.`);
  onRay.skipped = filesOnRay();
}
for (const name of onRay.skipped) console.log(`skipped: ${name}`);

const failed = inPython.failed + onRay.failed;
console.log(
  `${inPython.passed + onRay.passed} passed, ${failed} failed, ${inPython.skipped + onRay.skipped.length} skipped`,
);
process.exit(failed > 0 || ![0, 5].includes(pytest.status) || !onRay.succeeded ? 1 : 0);
