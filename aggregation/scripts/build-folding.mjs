/** Compiles the folding of float32 updates into src/folding/generated/. */
import { fileURLToPath } from 'node:url';
import { assemble } from '../../scripts/assemble.mjs';

const room = fileURLToPath(new URL('..', import.meta.url));

export function buildFolding() {
  return assemble(room, import.meta.url, [
    {
      file: `${room}src/folding/generated/fold.ts`,
      name: 'foldModule',
      what: 'exact sums of float32 vectors',
      options: ['--initialMemory', '8', '--enable', 'simd'],
    },
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildFolding();
