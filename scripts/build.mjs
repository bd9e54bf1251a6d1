/** Compiles the kernels and every room (incrementally), then copies and bundles what is not plain TypeScript output. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildKernels } from '../model/scripts/build-kernels.mjs';
import { buildFolding } from '../aggregation/scripts/build-folding.mjs';
import { buildMasks } from '../secure/scripts/build-masks.mjs';
import { buildSite } from '../web-console/scripts/build-site.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function runNode(args, what) {
  const done = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) throw new Error(`${what} failed: see the messages above.`);
}

export async function build() {
  await buildKernels();
  await buildMasks();
  await buildFolding();
  runNode(['node_modules/typescript/bin/tsc', '-b'], 'The TypeScript build');
  cpSync(`${root}server/src/storage/migrations`, `${root}server/dist/storage/migrations`, {
    recursive: true,
  });
  runNode(['client-sdk/scripts/bundle.mjs'], 'Bundling the browser SDK');
  runNode(['simulator/scripts/bundle.mjs'], 'Bundling the simulator');
  await buildSite();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
