import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePack } from './encode-pack.ts';
import { openPack, packFrom } from './fedpack.ts';
import { storedAs, type Dtype } from './pack-index.ts';
import { smallContents, smallPack } from './testing/small-pack.ts';
import { writeFedpack } from './write-fedpack.ts';

describe('writing a pack', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'starling-write-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('makes a directory that opens to the same pack, and nothing beside it', async () => {
    const target = join(directory, 'deep', 'small');
    const written = await writeFedpack(target, smallContents(), '# small\n');
    expect(written.sha256).toBe(smallPack().sha256);
    expect((await openPack(target)).users).toEqual(smallPack().users);
    expect(await readFile(join(target, 'README.md'), 'utf8')).toBe('# small\n');
    expect(await readdir(join(directory, 'deep'))).toEqual(['small']);
  });

  it('never overwrites', async () => {
    const target = join(directory, 'taken');
    await mkdir(target);
    await expect(writeFedpack(target, smallContents())).rejects.toMatchObject({ code: 'pack-exists' });
    expect(await readdir(target)).toEqual([]);
  });

  it('leaves nothing behind when the contents contradict themselves', async () => {
    const target = join(directory, 'bad', 'pack');
    const users = smallContents().users.slice(1);
    await expect(writeFedpack(target, { ...smallContents(), users })).rejects.toMatchObject({
      code: 'pack-user-rows',
    });
    expect(await readdir(join(directory, 'bad'))).toEqual([]);
  });
});

describe('encoding a pack', () => {
  it('keeps every value of every dtype', () => {
    const dtypes = Object.keys(storedAs) as Dtype[];
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 80 }),
        fc.shuffledSubarray(dtypes),
        (bytes, order) => {
          const rows = Math.floor(bytes.length / 8);
          const arrays = order.map((dtype) => ({
            name: dtype,
            dtype,
            shape: [rows, 1],
            values: new storedAs[dtype](bytes.slice(0, rows * storedAs[dtype].BYTES_PER_ELEMENT).buffer),
          }));
          const labels = { name: 'y', dtype: 'uint8' as const, shape: [rows], values: new Uint8Array(rows) };
          const { index, data } = encodePack({
            name: 'all',
            title: 'All types',
            classes: ['one'],
            users: [{ id: 'ada', count: rows }],
            arrays: [...arrays, labels],
          });
          const pack = packFrom(index, data, 'p');
          for (const { name, values } of arrays)
            expect(pack.stored(pack.array(name), 0, rows)).toEqual(values);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('refuses values that the dtype cannot hold, and values that are too few', () => {
    const array = { name: 'y', dtype: 'uint8' as const, shape: [3], values: [0, 256, 1] };
    const contents = { ...smallContents(), users: [], arrays: [array] };
    expect(() => encodePack(contents)).toThrow(/256 at place 1, which is no uint8/);
    expect(() => encodePack({ ...contents, arrays: [{ ...array, values: [0, 1] }] })).toThrow(
      /needs 3 values/,
    );
  });
});
