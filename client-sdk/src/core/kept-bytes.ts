import { concatBytes, utf8Decode, utf8Encode } from '@starling/protocol';
import type { Storage } from './ports.ts';

/**
 * Bytes of the one thing that a device has in hand, so that after a restart the same bytes are sent again: the finished
 * update of its assignment, or where it stands in its secure group. The id of the thing and its bytes are one value, so
 * a crash never leaves one without the other.
 */
export class KeptBytes<Id extends string> {
  readonly #storage: Storage;
  readonly #key: string;

  constructor(storage: Storage, key: string) {
    this.#storage = storage;
    this.#key = key;
  }

  /** The bytes of this thing, if it is the one whose bytes are kept. */
  async of(id: Id): Promise<Uint8Array | undefined> {
    const value = await this.#storage.get(this.#key);
    if (value?.[0] !== id.length) return undefined;
    const start = 1 + id.length;
    return utf8Decode(value.subarray(1, start)) === id ? value.slice(start) : undefined;
  }

  async keep(id: Id, bytes: Uint8Array): Promise<void> {
    await this.#storage.set(this.#key, concatBytes(Uint8Array.of(id.length), utf8Encode(id), bytes));
  }

  async forget(): Promise<void> {
    await this.#storage.delete(this.#key);
  }
}
