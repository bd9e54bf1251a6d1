import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { encodePack, type PackContents } from './encode-pack.ts';
import { openPack, type Pack } from './fedpack.ts';
import { PackError } from './pack-error.ts';

/**
 * Writes a pack directory: `index.json`, `data.bin` and, where given, a `README.md` for people. It is written beside
 * its place, opened with every check, and moved there whole: a reader never sees half a pack.
 * @throws PackError `pack-exists` when something is there already, or any code of `openPack`; RangeError as `encodePack`.
 */
export async function writeFedpack(
  directory: string,
  contents: PackContents,
  readme?: string,
): Promise<Pack> {
  const target = resolve(directory);
  await requireFree(target);
  const { index, data } = encodePack(contents);
  const unfinished = join(dirname(target), `.${basename(target)}-unfinished-${randomUUID()}`);
  await mkdir(unfinished, { recursive: true });
  try {
    await writeFile(join(unfinished, 'index.json'), `${JSON.stringify(index, null, 1)}\n`);
    await writeFile(join(unfinished, 'data.bin'), data);
    if (readme !== undefined) await writeFile(join(unfinished, 'README.md'), readme);
    await openPack(unfinished);
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return openPack(target);
}

/** @throws PackError `pack-exists`. */
export async function requireFree(target: string): Promise<void> {
  const there = await stat(target).then(
    () => true,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    },
  );
  if (there)
    throw new PackError(
      'pack-exists',
      target,
      'something is there already, and nothing is overwritten. Use it, remove it, or choose another directory.',
    );
}
