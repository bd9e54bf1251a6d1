import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '../../core/ports.ts';

/**
 * One file a key, named by the key's SHA-256; only the owner may read it. A value is written beside its place, synced,
 * and renamed into it: after a crash there is the old value or the new one, whole.
 */
export function fileStorage(directory: string): Storage {
  const place = (key: string) => join(directory, createHash('sha256').update(key).digest('hex').slice(0, 32));
  return {
    get: async (key) => {
      try {
        return new Uint8Array(await readFile(place(key)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    set: async (key, value) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const draft = join(directory, `.${randomUUID()}`);
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(value);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, place(key));
    },
    delete: (key) => rm(place(key), { force: true }),
  };
}
