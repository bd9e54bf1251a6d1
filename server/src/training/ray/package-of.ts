import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { zipSync, type Zippable } from 'fflate';

/** A ZIP file of Python sources, the same bytes for the same sources. */
export async function packageOf(directory: string): Promise<Uint8Array> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = names
    .filter((entry) => entry.isFile() && entry.name.endsWith('.py'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files: Zippable = {};
  for (const path of paths) files[relative(directory, path)] = new Uint8Array(await readFile(path));
  return zipSync(files, { level: 9, mtime: new Date(1980, 0, 1) });
}
