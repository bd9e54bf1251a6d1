/**
 * Runs the tests of cluster/ with a Python of your own: `npm run test:cluster -- --python PATH [arguments of pytest]`.
 * What needs a framework that this Python does not have is skipped, and named.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const others = process.argv.slice(2);
const place = others.indexOf('--python');
const [, python = 'python3'] = place < 0 ? [] : others.splice(place, 2);
const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });

const built = run(process.execPath, ['scripts/build.mjs']);
if (built.status !== 0) process.exit(built.status ?? 1);
const tested = run(python, ['-m', 'pytest', '-rs', ...others], {
  cwd: `${root}cluster`,
  env: {
    OMP_NUM_THREADS: '1',
    ...process.env,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
  },
});
if (tested.error) console.error(`${python} cannot be run (${tested.error.message}); name one with --python.`);
process.exit(tested.status ?? 1);
