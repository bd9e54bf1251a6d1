import type { Readable } from 'node:stream';
import type { BlobStore, RemovableBlobs } from './blobs.ts';
import type { Database } from './database.ts';
import { sha256 } from './sigv4.ts';

/**
 * A blob store with a row for each blob that it holds. The row is what writers and the removal of old blobs meet on:
 * a put touches it first, and a removal takes only what was not touched for a while, with the row locked. So a version
 * that is being published cannot lose bytes that it found in the store.
 */
export class KeptBlobs implements BlobStore {
  readonly #store: RemovableBlobs;
  readonly #database: Database;

  constructor(store: RemovableBlobs, database: Database) {
    this.#store = store;
    this.#database = database;
  }

  async put(bytes: Uint8Array): Promise<string> {
    await this.#database.query(
      `insert into stored_blobs (sha256, bytes) values ($1, $2)
       on conflict (sha256) do update set touched_at = now()`,
      [sha256(bytes), bytes.length],
    );
    return this.#store.put(bytes);
  }

  get(name: string): Promise<Uint8Array> {
    return this.#store.get(name);
  }

  size(name: string): Promise<number> {
    return this.#store.size(name);
  }

  stream(name: string, range: { start: number; end: number }): Readable {
    return this.#store.stream(name, range);
  }

  /**
   * Removes blobs that no project refers to and that nobody put for `graceMs`. Returns how many. `onRemoved` is called when
   * the bytes of one are gone and its row is not yet.
   */
  async removeUnreferenced(graceMs: number, onRemoved: () => void = () => undefined): Promise<number> {
    const unreferenced = `touched_at < now() - $1 * interval '1 millisecond'
      and not exists (select 1 from blobs b where b.sha256 = s.sha256)`;
    const candidates = await this.#database.query<{ sha256: string }>(
      `select sha256 from stored_blobs s where ${unreferenced}`,
      [graceMs],
    );
    let removed = 0;
    for (const { sha256: name } of candidates) {
      removed += await this.#database.tx(async (tx) => {
        const rows = await tx.query(
          `delete from stored_blobs s where sha256 = $2 and ${unreferenced} returning sha256`,
          [graceMs, name],
        );
        if (rows.length > 0) {
          await this.#store.remove(name); // before the row is let go: a put waits for it
          onRemoved();
        }
        return rows.length;
      });
    }
    return removed;
  }
}
