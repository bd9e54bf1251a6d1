import { concatBytes, utf8Decode, utf8Encode, type GroupId } from '@starling/protocol';
import { loadClientState, saveClientState, StoredStateError, type ClientState } from '@starling/secure';
import type { Storage } from './ports.ts';

const key = 'group';

/**
 * Where the device stands in its secure group: stored before any message leaves, so that a device that starts again says
 * the same bytes, or nothing. It holds secrets of the group until the device has uploaded, and is deleted at the end.
 */
export class KeptGroup {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The state in this group, if it is the one that is kept and can be read. */
  async of(id: GroupId): Promise<ClientState | undefined> {
    const value = await this.#storage.get(key);
    if (value?.[0] !== id.length) return undefined;
    const start = 1 + id.length;
    if (utf8Decode(value.subarray(1, start)) !== id) return undefined;
    try {
      return loadClientState(value.slice(start));
    } catch (error) {
      if (error instanceof StoredStateError) return undefined;
      throw error;
    }
  }

  async keep(id: GroupId, state: ClientState): Promise<void> {
    await this.#storage.set(
      key,
      concatBytes(Uint8Array.of(id.length), utf8Encode(id), saveClientState(state)),
    );
  }

  async forget(): Promise<void> {
    await this.#storage.delete(key);
  }
}
