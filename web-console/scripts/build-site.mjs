/**
 * Builds the console into dist/site, unless nothing that it is made of changed since. Prints what a browser loads for the
 * first page, as served.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const room = fileURLToPath(new URL('..', import.meta.url));
const page = join(room, 'dist/site/index.html');
const sources = [
  'src',
  'public',
  'index.html',
  'vite.config.js',
  'package.json',
  '../protocol/dist',
  '../model/dist',
  '../model/zoo',
];

export async function buildSite() {
  if (Math.max(...sources.map((source) => changedAt(join(room, source)))) < changedAt(page)) return;
  await build({ root: room, logLevel: 'warn' });
  compress(join(room, 'dist/site/assets'));
  const assets = readFileSync(page, 'utf8').matchAll(/(?:src|href)="\/console\/(assets\/[^"]+)"/g);
  const sizes = [...assets].map(([, file]) => statSync(join(room, 'dist/site', `${file}.gz`)).size);
  const kilobytes = sizes.reduce((sum, size) => sum + size, 0) / 1000;
  console.error(`console: ${kilobytes.toFixed(1)} kB gzip before the first page's own code`);
}

/** Puts beside each file of text what the server sends of it to browsers that take gzip. */
function compress(directory) {
  for (const name of readdirSync(directory).filter((name) => /\.(js|css|svg)$/.test(name))) {
    const path = join(directory, name);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

/** When the newest file at or below a path changed, in milliseconds; 0 where there is none. */
function changedAt(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}
