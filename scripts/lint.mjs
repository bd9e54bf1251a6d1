/** ESLint and Prettier over everything, at once: each keeps one processor core busy. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const programs = [
  ['node_modules/eslint/bin/eslint.js', '.'],
  ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
];
const ends = await Promise.all(
  programs.map((program) => once(spawn(process.execPath, program, { cwd: root, stdio: 'inherit' }), 'close')),
);
process.exit(ends.every(([status]) => status === 0) ? 0 : 1);
