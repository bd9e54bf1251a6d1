import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Content-addressed bytes: the SHA-256 is the name, so a name never changes what it means. */
export interface BlobStore {
  /** Stores bytes durably and returns their SHA-256 (hexadecimal). Storing the same bytes again changes nothing. */
  put(bytes: Uint8Array): Promise<string>;
  /** All bytes of a blob; throws {@link BlobMissing}. */
  get(sha256: string): Promise<Uint8Array>;
  /** Length in bytes; throws {@link BlobMissing}. */
  size(sha256: string): Promise<number>;
  /** Bytes start..end (both included) as a stream. */
  stream(sha256: string, range: { start: number; end: number }): Readable;
}

/** A store as retention sees it; everybody else sees one that only grows. */
export interface RemovableBlobs extends BlobStore {
  /** Removes a blob; one that is not there is no error. */
  remove(sha256: string): Promise<void>;
  /** Rejects when the store cannot be reached or does not let this process in. */
  check(): Promise<void>;
}

export class BlobMissing extends Error {
  override readonly name = 'BlobMissing';
  readonly code = 'blob-missing';
}

/** Blobs as files `<directory>/ab/abcdef…`, written beside and linked into place: a reader never sees half of one. */
export class FileBlobs implements RemovableBlobs {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = this.#path(sha256);
    if (await exists(path)) return sha256;
    const folder = join(this.#directory, sha256.slice(0, 2));
    await mkdir(folder, { recursive: true });
    const draft = join(folder, `.${randomUUID()}`);
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(draft);
    }
    return sha256;
  }

  async get(sha256: string): Promise<Uint8Array> {
    try {
      return await readFile(this.#path(sha256));
    } catch (error) {
      throw missing(sha256, error);
    }
  }

  async size(sha256: string): Promise<number> {
    try {
      return (await stat(this.#path(sha256))).size;
    } catch (error) {
      throw missing(sha256, error);
    }
  }

  stream(sha256: string, range: { start: number; end: number }): Readable {
    return createReadStream(this.#path(sha256), range);
  }

  async check(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await access(this.#directory, constants.R_OK | constants.W_OK);
  }

  remove(sha256: string): Promise<void> {
    return rm(this.#path(sha256), { force: true });
  }

  #path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError('A blob is named by 64 hexadecimal digits.');
    return join(this.#directory, sha256.slice(0, 2), sha256);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function missing(sha256: string, cause: unknown): Error {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return cause as Error;
  return new BlobMissing(`Blob ${sha256} is not in the store.`, { cause });
}
