import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { zipSync, type Zippable } from 'fflate';

/** Where the program of simulations lies among the Python sources (cluster/src/starling_cluster/node_program.py). */
const simulatorPath = 'starling_cluster/simulator.mjs';

/** A ZIP file of Python sources, with the program of simulations if it is given; the same bytes for the same content. */
export async function packageOf(directory: string, simulator?: string): Promise<Uint8Array> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = names
    .filter((entry) => entry.isFile() && entry.name.endsWith('.py'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files: Zippable = {};
  for (const path of paths) files[relative(directory, path)] = new Uint8Array(await readFile(path));
  if (simulator !== undefined) files[simulatorPath] = new Uint8Array(await readFile(simulator));
  return zipSync(files, { level: 9, mtime: new Date(1980, 0, 1) });
}
