/** Compiles the kernels twice, strict and with relaxed SIMD, into src/kernels/wasm/generated/. */
import { fileURLToPath } from 'node:url';
import { assemble } from '../../scripts/assemble.mjs';

const room = fileURLToPath(new URL('..', import.meta.url));
const generated = `${room}src/kernels/wasm/generated/`;
const imported = ['--importMemory', '--noExportMemory', '--enable', 'simd'];

export function buildKernels() {
  return assemble(room, import.meta.url, [
    {
      file: `${generated}strict.ts`,
      name: 'strictModule',
      what: 'kernels, the same bits on every processor',
      options: imported,
    },
    {
      file: `${generated}relaxed.ts`,
      name: 'relaxedModule',
      what: 'kernels, with fused multiply-add where the processor has it',
      options: [...imported, '--enable', 'relaxed-simd'],
    },
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernels();
