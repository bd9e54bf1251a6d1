/** Compiles every room (incrementally), then copies what is not TypeScript. Errors go to standard error. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export function build() {
  const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (tsc.status !== 0) throw new Error('The TypeScript build failed: see the messages above.');
  const migrations = `${root}server/src/storage/migrations`;
  if (existsSync(migrations))
    cpSync(migrations, `${root}server/dist/storage/migrations`, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
