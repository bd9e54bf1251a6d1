import { openDB, type IDBPDatabase } from 'idb';
import type { Storage } from '../../core/ports.ts';

const store = 'values';

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
      await (await database()).put(store, value, key);
    },
    delete: async (key) => {
      await (await database()).delete(store, key);
    },
  };
}
