import { utf8Decode, utf8Encode } from '@starling/protocol';
import type { Storage } from './ports.ts';

/** What this SDK stored under a key as JSON, or `undefined`. A value that is no JSON reads as absent. */
export async function readJson<T>(storage: Storage, key: string): Promise<T | undefined> {
  const bytes = await storage.get(key);
  if (!bytes) return undefined;
  try {
    return JSON.parse(utf8Decode(bytes)) as T; // written by writeJson with the same key
  } catch {
    return undefined;
  }
}

export async function writeJson(storage: Storage, key: string, value: unknown): Promise<void> {
  await storage.set(key, utf8Encode(JSON.stringify(value)));
}
