/**
 * Everything that the npm scripts need on a clean machine: dependencies, the build and (with --browser) a Chromium
 * for the browser tests. Quick when nothing changed. Says what it does on standard error.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findBrowser } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function fail(message) {
  console.error(`starling: ${message}`);
  process.exit(1);
}

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  return done.status === 0;
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 20)) {
    fail(
      `Node.js 20.20 or later is needed; this is ${process.versions.node}. Install it from your package manager or nodejs.org.`,
    );
  }
}

function installDependencies() {
  const installed = `${root}node_modules/.package-lock.json`;
  const lock = `${root}package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('starling: installing dependencies (npm ci)');
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) {
    fail('npm ci failed: see the messages above. It needs the npm registry, or a filled cache.');
  }
}

function installBrowser() {
  if (findBrowser()) return;
  const mayInstall =
    process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (mayInstall) {
    console.error('starling: installing Chromium for the browser tests (apt-get)');
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
  }
  if (!findBrowser()) {
    console.error(
      'starling: no Chromium found: browser tests will be skipped. Install chromium or google-chrome, or set STARLING_CHROMIUM to its path.',
    );
  }
}

requireNode();
installDependencies();
const { build } = await import('./build.mjs');
try {
  await build();
} catch (error) {
  fail(error.message);
}
if (process.argv.includes('--browser')) installBrowser();
