import { sha256 } from '@starling/protocol';
import { DeviceError } from './errors.ts';
import type { Storage } from './ports.ts';
import { readJson, writeJson } from './stored-json.ts';

/** Names and lengths of the blobs kept, the least recently used first. */
type Index = [digest: string, bytes: number][];

const indexKey = 'blobs';
const blobKey = (digest: string) => `blob/${digest}`;

/** Blobs by their SHA-256, verified when they come and when they are read again; the least recently used are evicted. */
export class BlobCache {
  readonly #storage: Storage;
  readonly #fetch: (digest: string, signal?: AbortSignal) => Promise<Uint8Array>;
  readonly #maxBytes: number;
  #turn: Promise<unknown> = Promise.resolve();

  /** `maxBytes` bounds what is kept; a blob that is larger is fetched each time. */
  constructor(
    storage: Storage,
    fetch: (digest: string, signal?: AbortSignal) => Promise<Uint8Array>,
    maxBytes = 64 << 20,
  ) {
    this.#storage = storage;
    this.#fetch = fetch;
    this.#maxBytes = maxBytes;
  }

  /** The bytes of a blob, one request at a time. Throws DeviceError `blob-corrupt`, and what fetching throws. */
  get(digest: string, signal?: AbortSignal): Promise<Uint8Array> {
    const mine = this.#turn.then(() => this.#get(digest, signal));
    this.#turn = mine.catch(() => undefined); // the next in turn has its own fate
    return mine;
  }

  async #get(digest: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const kept = await this.#storage.get(blobKey(digest));
    if (kept && sha256(kept) === digest) {
      await this.#use(digest, kept.length);
      return kept;
    }
    const bytes = await this.#fetch(digest, signal);
    const found = sha256(bytes);
    if (found !== digest) {
      throw new DeviceError(
        'blob-corrupt',
        `The server sent bytes with SHA-256 ${found} for blob ${digest}; they were thrown away. Something between changes them.`,
      );
    }
    if (bytes.length <= this.#maxBytes) {
      await this.#use(digest, bytes.length);
      await this.#storage.set(blobKey(digest), bytes);
    }
    return bytes;
  }

  /** Puts a blob last in the index, and makes room. The index is written before the blob, so none is ever orphaned. */
  async #use(digest: string, bytes: number): Promise<void> {
    const before = (await readJson<Index>(this.#storage, indexKey)) ?? [];
    if (before.at(-1)?.[0] === digest) return;
    const index: Index = [...before.filter(([other]) => other !== digest), [digest, bytes]];
    let total = index.reduce((sum, [, length]) => sum + length, 0);
    const evicted: string[] = [];
    while (total > this.#maxBytes) {
      const [oldest, length] = index.shift()!;
      evicted.push(oldest);
      total -= length;
    }
    for (const oldest of evicted) await this.#storage.delete(blobKey(oldest));
    await writeJson(this.#storage, indexKey, index);
  }
}
