import { Readable } from 'node:stream';
import type { BlobStore } from './blobs.ts';

/** Of all that are held. */
const mostBytes = 64 * 2 ** 20;

/** A larger one is read from its store each time, some at a time. */
const mostBytesEach = 16 * 2 ** 20;

/** Blobs that are being taken into memory at a time: who asks for many at once gets the others from the store. */
const mostComing = 4;

/**
 * A blob store that holds in memory what devices are about to read, or read just now: a round's devices come for the same
 * weights at once, and the version that was published last is the one that they come for next. A name says what the
 * bytes are, so what is held is never out of date. Who may read is decided before.
 */
export class HotBlobs implements BlobStore {
  readonly #store: BlobStore;
  /** Those that were wanted last come last. */
  readonly #held = new Map<string, Buffer>();
  readonly #coming = new Map<string, Promise<void>>();
  #bytes = 0;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const sha256 = await this.#store.put(bytes);
    if (bytes.length <= mostBytesEach) this.#hold(sha256, bytes.slice()); // the caller may go on to write to these
    return sha256;
  }

  /** Bytes of the caller's own, who may change them. */
  get(sha256: string): Promise<Uint8Array> {
    return this.#store.get(sha256);
  }

  /** Takes a blob that is not too large into memory, for the reads that will follow. */
  async size(sha256: string): Promise<number> {
    const held = this.#held.get(sha256);
    if (held) return held.length;
    const size = await this.#store.size(sha256);
    const isWelcome = this.#coming.has(sha256) || this.#coming.size < mostComing;
    if (size <= mostBytesEach && isWelcome) await this.#fetch(sha256);
    return size;
  }

  stream(sha256: string, range: { start: number; end: number }): Readable {
    const held = this.#held.get(sha256);
    if (!held) return this.#store.stream(sha256, range);
    this.#held.delete(sha256);
    this.#held.set(sha256, held);
    return Readable.from([held.subarray(range.start, range.end + 1)], { objectMode: false });
  }

  /** Reads a blob once, however many ask. */
  #fetch(sha256: string): Promise<void> {
    const under = this.#coming.get(sha256);
    if (under) return under;
    const read = this.#store
      .get(sha256)
      .then((bytes) => {
        this.#hold(sha256, bytes);
      })
      .finally(() => this.#coming.delete(sha256));
    this.#coming.set(sha256, read);
    return read;
  }

  #hold(sha256: string, bytes: Uint8Array): void {
    if (this.#held.has(sha256)) return;
    this.#held.set(sha256, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#bytes += bytes.length;
    for (const [name, { length }] of this.#held) {
      if (this.#bytes <= mostBytes) break;
      this.#held.delete(name);
      this.#bytes -= length;
    }
  }
}
