import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BlobMissing, type RemovableBlobs } from '../../storage/blobs.ts';

/** Blobs that outlive the nodes of a simulation. */
export class MemoryBlobs implements RemovableBlobs {
  readonly #held = new Map<string, Uint8Array>();

  put(bytes: Uint8Array): Promise<string> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#held.set(sha256, bytes.slice());
    return Promise.resolve(sha256);
  }

  get(sha256: string): Promise<Uint8Array> {
    const bytes = this.#held.get(sha256);
    if (!bytes) return Promise.reject(new BlobMissing(`Blob ${sha256} is not in the store.`));
    return Promise.resolve(bytes.slice());
  }

  async size(sha256: string): Promise<number> {
    return (await this.get(sha256)).length;
  }

  stream(sha256: string, { start, end }: { start: number; end: number }): Readable {
    return Readable.from([this.#held.get(sha256)?.subarray(start, end + 1) ?? new Uint8Array()]);
  }

  remove(sha256: string): Promise<void> {
    this.#held.delete(sha256);
    return Promise.resolve();
  }

  check(): Promise<void> {
    return Promise.resolve();
  }
}
