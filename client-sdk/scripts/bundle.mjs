/**
 * Bundles the browser SDK (dist/bundle/starling.js) and its worker (train-worker.js). What both import, the engine and the
 * codecs, is in files of its own, so that a page loads it once; what masks updates is in another, which is loaded with the
 * first secure task. Prints their sizes as served.
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
  chunkNames: '[name]-[hash]',
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
/** Bytes with gzip of outputs, by path. */
const sizes = new Map(
  Object.keys(metafile.outputs)
    .filter((file) => file.endsWith('.js'))
    .map((file) => [file, gzipSync(readFileSync(`${room}${file}`)).length]),
);
const entries = [...sizes.keys()].filter((file) => /\/(starling|train-worker)\.js$/.test(file));
const first = new Set(entries);
for (const file of first) {
  for (const { path, kind } of metafile.outputs[file].imports) {
    if (kind === 'import-statement') first.add(path);
  }
}
const later = [...sizes.keys()].filter((file) => !first.has(file));
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const listed = (files) => {
  const list = [...files].map((file) => `${basename(file)} ${kilobytes(sizes.get(file))}`).join(', ');
  return `${kilobytes([...files].reduce((sum, file) => sum + sizes.get(file), 0))} gzip (${list})`;
};
console.error(`browser SDK: ${listed(first)}; with the first secure task ${listed(later)} more`);
