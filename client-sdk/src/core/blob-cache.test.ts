import { sha256 } from '@starling/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { BlobCache } from './blob-cache.ts';
import { MemoryStorage } from './testing/memory-storage.ts';

const blobOf = (value: number, length = 10) => new Uint8Array(length).fill(value);
const digestOf = (value: number, length?: number) => sha256(blobOf(value, length));

let served: Map<string, Uint8Array>;
let fetched: string[];
let storage: MemoryStorage;
let cache: BlobCache;

const newCache = () =>
  new BlobCache(
    storage,
    (digest) => {
      fetched.push(digest);
      const bytes = served.get(digest);
      return bytes ? Promise.resolve(bytes) : Promise.reject(new Error('not found'));
    },
    30,
  );

beforeEach(() => {
  served = new Map([1, 2, 3, 4].map((value) => [digestOf(value), blobOf(value)]));
  fetched = [];
  storage = new MemoryStorage();
  cache = newCache();
});

describe('BlobCache', () => {
  it('fetches a blob once, also across a restart', async () => {
    expect(await cache.get(digestOf(1))).toEqual(blobOf(1));
    expect(await newCache().get(digestOf(1))).toEqual(blobOf(1));
    expect(fetched).toEqual([digestOf(1)]);
  });

  it('fetches once for two who ask at the same time', async () => {
    await Promise.all([cache.get(digestOf(1)), cache.get(digestOf(1))]);
    expect(fetched).toHaveLength(1);
  });

  it('refuses bytes that are not the blob, and keeps nothing of them', async () => {
    served.set(digestOf(1), blobOf(9));
    await expect(cache.get(digestOf(1))).rejects.toMatchObject({ code: 'blob-corrupt' });
    served.set(digestOf(1), blobOf(1));
    expect(await cache.get(digestOf(1))).toEqual(blobOf(1));
  });

  it('fetches again what its storage has damaged', async () => {
    await cache.get(digestOf(1));
    await storage.set(`blob/${digestOf(1)}`, blobOf(7));
    expect(await cache.get(digestOf(1))).toEqual(blobOf(1));
    expect(fetched).toHaveLength(2);
  });

  it('evicts the least recently used beyond its size', async () => {
    for (const value of [1, 2, 3, 1, 4]) await cache.get(digestOf(value));
    fetched = [];
    for (const value of [1, 3, 4]) await cache.get(digestOf(value));
    expect(fetched).toEqual([]);
    await cache.get(digestOf(2));
    expect(fetched).toEqual([digestOf(2)]);
    const kept = [...storage.values.keys()].filter((key) => key.startsWith('blob/'));
    expect(kept).toHaveLength(3);
  });

  it('hands out a blob that is larger than the cache without keeping it', async () => {
    served.set(digestOf(5, 31), blobOf(5, 31));
    await cache.get(digestOf(1));
    expect(await cache.get(digestOf(5, 31))).toHaveLength(31);
    await cache.get(digestOf(1));
    expect(fetched).toEqual([digestOf(1), digestOf(5, 31)]);
  });

  it('goes on after a fetch that failed', async () => {
    await expect(cache.get(digestOf(8))).rejects.toThrow('not found');
    expect(await cache.get(digestOf(1))).toEqual(blobOf(1));
  });
});
