/**
 * Bundles the browser SDK (dist/bundle/starling.js) and its worker (train-worker.js). Both import what they share, the
 * engine and the codecs, from one more file, so that a page loads it once. Prints their sizes as served.
 */
import { readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const room = fileURLToPath(new URL('..', import.meta.url));
const outdir = `${room}dist/bundle`;
rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: room,
  entryPoints: {
    starling: 'dist/browser-bundle.js',
    'train-worker': 'dist/hosts/browser/train-worker.js',
  },
  outdir,
  chunkNames: 'engine-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
});
const sizes = Object.keys(metafile.outputs)
  .filter((file) => file.endsWith('.js'))
  .map((file) => ({ name: basename(file), bytes: gzipSync(readFileSync(`${room}${file}`)).length }));
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.error(
  `browser SDK: ${kilobytes(sizes.reduce((sum, { bytes }) => sum + bytes, 0))} gzip (` +
    `${sizes.map(({ name, bytes }) => `${name} ${kilobytes(bytes)}`).join(', ')})`,
);
