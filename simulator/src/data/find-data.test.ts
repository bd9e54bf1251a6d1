import { mkdtemp, rm, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataNotFound, downloadDirectory, findPack } from './find-data.ts';
import { smallContents } from './testing/small-pack.ts';
import { writeFedpack } from './write-fedpack.ts';

describe('finding a pack', () => {
  let base: string;
  let root: string;
  let cwd: string;
  const put = (...path: string[]) => writeFedpack(join(...path), smallContents()).then((pack) => pack.path);
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'starling-find-'));
  });
  beforeEach(async () => {
    const place = await mkdtemp(join(base, 'case-'));
    root = join(place, 'repository');
    cwd = join(place, 'elsewhere');
    await mkdir(cwd);
  });
  afterAll(() => rm(base, { recursive: true }));

  it('takes a directory, relative to where the command runs', async () => {
    const pack = await put(cwd, 'mine');
    expect(await findPack('./mine', { env: {}, cwd, root })).toBe(pack);
    expect(await findPack('mine', { env: {}, cwd, root })).toBe(pack);
    expect(await findPack(pack, { env: {}, cwd: '/', root })).toBe(pack);
  });

  it('looks for a name in STARLING_DATA, then among downloads, then beside the repository', async () => {
    const env = { STARLING_DATA: join(root, '..', 'env') };
    const beside = await put(root, '..', 'shared', 'data', 'wrist');
    expect(await findPack('wrist', { env, cwd, root })).toBe(beside);
    const downloaded = await put(downloadDirectory(root), 'wrist');
    expect(await findPack('wrist', { env, cwd, root })).toBe(downloaded);
    const named = await put(env.STARLING_DATA, 'wrist');
    expect(await findPack('wrist', { env, cwd, root })).toBe(named);
  });

  it('never climbs out of the data directories by a name', async () => {
    await put(root, '..', 'shared', 'secret');
    await expect(findPack('../secret', { env: {}, cwd, root })).rejects.toBeInstanceOf(DataNotFound);
  });

  it('says where it looked and what to do when there is nothing', async () => {
    const error: unknown = await findPack('wisdm\u001b', { env: { STARLING_DATA: '/env' }, cwd, root }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'data-not-found', tried: [join(cwd, 'wisdm\u001b')] });
    const missing = findPack('wisdm', { env: { STARLING_DATA: '/env' }, cwd, root });
    const text = await missing.catch(String);
    for (const part of [
      '/env/wisdm',
      'shared/data/wisdm',
      'starling data fetch uci-har',
      '--data DIR',
      '--synthetic',
    ])
      expect(text).toContain(part);
  });
});
