import { openDB, type IDBPDatabase } from 'idb';
import type { Storage } from '../../core/ports.ts';

const store = 'values';

/**
 * What was written is on the disk, not only with the system: a device whose machine loses power must not forget which
 * bytes it has sent.
 */
const durably = { durability: 'strict' } as const;

/** Durable bytes in IndexedDB, in a database of this name. */
export function idbStorage(name: string): Storage {
  let opening: Promise<IDBPDatabase> | undefined;
  const forget = () => {
    opening = undefined;
  };
  const database = () => {
    opening ??= openDB(name, 1, {
      upgrade: (fresh) => {
        fresh.createObjectStore(store);
      },
      terminated: forget,
    });
    opening.catch(forget);
    return opening;
  };
  return {
    get: async (key) => (await (await database()).get(store, key)) as Uint8Array | undefined, // only `set` writes
    set: async (key, value) => {
      const change = (await database()).transaction(store, 'readwrite', durably);
      await Promise.all([change.store.put(value, key), change.done]);
    },
    delete: async (key) => {
      const change = (await database()).transaction(store, 'readwrite', durably);
      await Promise.all([change.store.delete(key), change.done]);
    },
  };
}
