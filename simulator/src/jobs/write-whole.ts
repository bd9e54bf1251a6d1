import { rename, writeFile } from 'node:fs/promises';

/** Writes a file beside its place and moves it there: a reader never sees half of it. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.draft`, content);
  await rename(`${path}.draft`, path);
}
