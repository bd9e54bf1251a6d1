/** Bundles the program of a simulation on a cluster into one file that needs nothing but Node: it travels with the job. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

await build({
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  entryPoints: { simulator: 'dist/ray/main.js' },
  outdir: 'dist/ray',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
});
