import { concatBytes, utf8Decode, utf8Encode, type AssignmentId } from '@starling/protocol';
import type { Storage } from './ports.ts';

const key = 'update';

/**
 * The finished update of the assignment in hand, kept until the server has it or no longer wants it, so that after a
 * restart the same bytes are sent again. One place, since a device has one assignment at a time; the id and the bytes
 * are one value, so a crash never leaves one without the other.
 */
export class KeptUpdate {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The update of this assignment, if it is the one that is kept. */
  async of(id: AssignmentId): Promise<Uint8Array | undefined> {
    const value = await this.#storage.get(key);
    if (value?.[0] !== id.length) return undefined;
    const start = 1 + id.length;
    return utf8Decode(value.subarray(1, start)) === id ? value.slice(start) : undefined;
  }

  async keep(id: AssignmentId, update: Uint8Array): Promise<void> {
    await this.#storage.set(key, concatBytes(Uint8Array.of(id.length), utf8Encode(id), update));
  }

  async forget(): Promise<void> {
    await this.#storage.delete(key);
  }
}
