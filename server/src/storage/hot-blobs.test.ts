import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { BlobMissing, type BlobStore } from './blobs.ts';
import { HotBlobs } from './hot-blobs.ts';
import { sha256 } from './sigv4.ts';

/** Blobs in a map, with a count of the times that each was read. */
class CountedBlobs implements BlobStore {
  readonly kept = new Map<string, Uint8Array>();
  reads = 0;

  put(bytes: Uint8Array): Promise<string> {
    this.kept.set(sha256(bytes), bytes.slice());
    return Promise.resolve(sha256(bytes));
  }
  get(name: string): Promise<Uint8Array> {
    this.reads++;
    const bytes = this.kept.get(name);
    return bytes ? Promise.resolve(bytes.slice()) : Promise.reject(new BlobMissing(name));
  }
  size(name: string): Promise<number> {
    const bytes = this.kept.get(name);
    return bytes ? Promise.resolve(bytes.length) : Promise.reject(new BlobMissing(name));
  }
  stream(name: string, { start, end }: { start: number; end: number }): Readable {
    this.reads++;
    return Readable.from([Buffer.from(this.kept.get(name)!.subarray(start, end + 1))]);
  }
}

const bytesOf = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) % 251);
const whole = async (blobs: HotBlobs, name: string) => {
  const size = await blobs.size(name);
  return new Uint8Array(await buffer(blobs.stream(name, { start: 0, end: size - 1 })));
};

describe('blobs that many devices read at once', () => {
  it('are read from their store once, and given whole or in part', async () => {
    const store = new CountedBlobs();
    const name = await store.put(bytesOf(1000, 1));
    const blobs = new HotBlobs(store);
    for (const bytes of await Promise.all([whole(blobs, name), whole(blobs, name), whole(blobs, name)])) {
      expect(bytes).toEqual(bytesOf(1000, 1));
    }
    const part = await buffer(blobs.stream(name, { start: 10, end: 19 }));
    expect(new Uint8Array(part)).toEqual(bytesOf(1000, 1).slice(10, 20));
    expect(store.reads).toBe(1);
  });

  it('are at hand once they were put, as they were put', async () => {
    const store = new CountedBlobs();
    const blobs = new HotBlobs(store);
    const bytes = bytesOf(100, 2);
    const name = await blobs.put(bytes);
    bytes.fill(0);
    expect(await whole(blobs, name)).toEqual(bytesOf(100, 2));
    expect(store.reads).toBe(0);
    const own = await blobs.get(name);
    own.fill(0);
    expect(await whole(blobs, name)).toEqual(bytesOf(100, 2));
  });

  it('make room for others: 64 MiB in all, those wanted last staying', async () => {
    const store = new CountedBlobs();
    const blobs = new HotBlobs(store);
    const names: string[] = [];
    for (let seed = 0; seed < 5; seed++) names.push(await blobs.put(new Uint8Array(2 ** 24 - seed)));
    await whole(blobs, names[1]!);
    expect(store.reads).toBe(0);
    await blobs.put(new Uint8Array(2 ** 20));
    await whole(blobs, names[1]!);
    expect(store.reads).toBe(0);
    await whole(blobs, names[0]!);
    expect(store.reads).toBe(1);
  });

  it('are not held where they are larger than 16 MiB', async () => {
    const store = new CountedBlobs();
    const blobs = new HotBlobs(store);
    const name = await blobs.put(new Uint8Array(2 ** 24 + 1));
    await whole(blobs, name);
    await whole(blobs, name);
    expect(store.reads).toBe(2);
  });

  it('are taken in four at a time, and the others read from the store meanwhile', async () => {
    const store = new CountedBlobs();
    const names: string[] = [];
    for (let seed = 0; seed < 10; seed++) names.push(await store.put(bytesOf(100, seed)));
    const blobs = new HotBlobs(store);
    const read = await Promise.all(names.map((name) => whole(blobs, name)));
    read.forEach((bytes, seed) => {
      expect(bytes).toEqual(bytesOf(100, seed));
    });
    store.reads = 0;
    for (const name of names) await blobs.size(name);
    expect(store.reads).toBe(6);
  });

  it('say that one is missing, and find it when it is there', async () => {
    const store = new CountedBlobs();
    const blobs = new HotBlobs(store);
    const name = sha256(bytesOf(10, 4));
    await expect(blobs.size(name)).rejects.toThrow(BlobMissing);
    await store.put(bytesOf(10, 4));
    expect(await whole(blobs, name)).toEqual(bytesOf(10, 4));
  });
});
