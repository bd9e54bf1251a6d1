import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStorage } from './file-storage.ts';

let place: string;
beforeEach(async () => {
  place = join(await mkdtemp(join(tmpdir(), 'starling-storage-')), 'device');
});
afterEach(() => rm(join(place, '..'), { recursive: true, force: true }));

describe('fileStorage', () => {
  it('reads nothing before anything is written', async () => {
    expect(await fileStorage(place).get('identity-seed')).toBeUndefined();
    await fileStorage(place).delete('identity-seed');
  });

  it('keeps values by key for the next start', async () => {
    await fileStorage(place).set('blob/../a', Uint8Array.of(1, 2));
    await fileStorage(place).set('blob/b', new Uint8Array());
    expect(await fileStorage(place).get('blob/../a')).toEqual(Uint8Array.of(1, 2));
    expect(await fileStorage(place).get('blob/b')).toEqual(new Uint8Array());
  });

  it('replaces and deletes', async () => {
    const storage = fileStorage(place);
    await storage.set('update', Uint8Array.of(1));
    await storage.set('update', Uint8Array.of(2, 3));
    expect(await storage.get('update')).toEqual(Uint8Array.of(2, 3));
    await storage.delete('update');
    expect(await storage.get('update')).toBeUndefined();
    expect(await readdir(place)).toEqual([]);
  });

  it('leaves one whole value when many write at once', async () => {
    const storage = fileStorage(place);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => storage.set('update', new Uint8Array(1000).fill(i))),
    );
    const value = await storage.get('update');
    expect(value).toEqual(new Uint8Array(1000).fill(value![0]!));
    expect(await readdir(place)).toHaveLength(1);
  });

  it('lets only the owner read the key of the device', async () => {
    await fileStorage(place).set('identity-seed', new Uint8Array(32));
    const [name] = await readdir(place);
    expect((await stat(join(place, name!))).mode & 0o077).toBe(0);
    expect((await stat(place)).mode & 0o077).toBe(0);
  });
});
