/** Compiles the masks of secure aggregation into src/masks/generated/. */
import { fileURLToPath } from 'node:url';
import { assemble } from '../../scripts/assemble.mjs';

const room = fileURLToPath(new URL('..', import.meta.url));

export function buildMasks() {
  return assemble(room, import.meta.url, [
    {
      file: `${room}src/masks/generated/chacha20.ts`,
      name: 'chacha20Module',
      what: 'masks by ChaCha20',
      options: ['--initialMemory', '1', '--enable', 'simd'],
    },
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildMasks();
