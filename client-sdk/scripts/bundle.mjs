/** Bundles the browser SDK and its worker; prints their sizes as served (gzip) on standard error with --sizes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const room = fileURLToPath(new URL('..', import.meta.url));
const outdir = `${room}dist/bundle`;
await build({
  entryPoints: {
    starling: `${room}dist/browser-bundle.js`,
    'train-worker': `${room}dist/hosts/browser/train-worker.js`,
  },
  outdir,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  sourcemap: true,
  logLevel: 'warning',
});
if (process.argv.includes('--sizes')) {
  for (const name of ['starling.js', 'train-worker.js']) {
    console.error(`${name}: ${gzipSync(readFileSync(`${outdir}/${name}`)).length} bytes gzip`);
  }
}
