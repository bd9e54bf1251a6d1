import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeId } from '@starling/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpdatePacks } from './update-packs.ts';

let directory: string;
let packs: UpdatePacks;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'starling-packs-'));
  packs = new UpdatePacks(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const idOf = (number: number) => makeId('assignment', String(number).padStart(22, '0'));
function updateOf(number: number, length = 1000 + number) {
  const bytes = randomBytes(length);
  return { id: idOf(number), bytes, digest: createHash('sha256').update(bytes).digest('hex') };
}
async function reopened(): Promise<UpdatePacks> {
  const found = new UpdatePacks(directory);
  await found.open();
  return found;
}
const files = async () => (await readdir(directory)).sort();
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

describe('packs of updates', () => {
  it('hold many that come at once in few files, and give each back, whole and in pieces', async () => {
    const updates = Array.from({ length: 50 }, (_, number) => updateOf(number));
    await Promise.all(updates.map((update) => packs.add(update)));
    const names = await files();
    expect(names.length).toBeLessThanOrEqual(4);
    const lengths = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
    expect(sumOf(lengths)).toBe(sumOf(updates.map(({ bytes }) => 104 + bytes.length)));
    for (const { id, bytes } of updates) {
      expect(packs.lengthOf(id)).toBe(bytes.length);
      expect(bytes.equals((await packs.read(id))!)).toBe(true);
      const pieces: Buffer[] = [];
      for await (const piece of packs.stream(id, 300)!) pieces.push(piece as Buffer);
      expect(pieces.length).toBe(Math.ceil(bytes.length / 300));
      expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    }
  });

  it('know nothing of an update that is not in them', async () => {
    expect(packs.lengthOf(idOf(1))).toBeUndefined();
    expect(await packs.read(idOf(1))).toBeUndefined();
    expect(packs.stream(idOf(1), 300)).toBeUndefined();
    expect(await packs.discard(idOf(1))).toBe(false);
  });

  it('go when nothing in them is wanted any more, and not before', async () => {
    const [first, second] = [updateOf(1), updateOf(2)];
    await Promise.all([packs.add(first), packs.add(second)]);
    expect(await packs.discard(first.id)).toBe(true);
    expect(packs.list()).toEqual([second.id]);
    expect(second.bytes.equals((await packs.read(second.id))!)).toBe(true);
    await packs.discard(second.id);
    expect(await files()).toEqual([]);
    const third = updateOf(3);
    await packs.add(third);
    expect(third.bytes.equals((await packs.read(third.id))!)).toBe(true);
  });

  it('are begun anew when one is full', async () => {
    const large = updateOf(1, 9 * 2 ** 20);
    await packs.add(large);
    await packs.add({ ...large, id: idOf(2) });
    await packs.add(updateOf(3));
    expect(await files()).toEqual(['1.pack', '2.pack']);
  });

  it('are found after a restart, as they were, and written to no more', async () => {
    const updates = [updateOf(1), updateOf(2), updateOf(3)];
    for (const update of updates) await packs.add(update);
    const found = await reopened();
    expect(found.list()).toEqual(updates.map(({ id }) => id));
    for (const { id, bytes } of updates) expect(bytes.equals((await found.read(id))!)).toBe(true);
    await found.add(updateOf(4));
    expect(await files()).toEqual(['1.pack', '2.pack']);
    for (const { id } of updates) await found.discard(id);
    expect(await files()).toEqual(['2.pack']);
  });

  it.each<[string, (path: string, whole: Buffer) => Promise<void>]>([
    ['was cut off', (path, whole) => truncate(path, whole.length - 1)],
    ['was cut off in front of its bytes', (path, whole) => truncate(path, whole.length - 1002)],
    [
      'is there by its length alone',
      (path, whole) => writeFile(path, Buffer.from(whole).fill(0, whole.length - 500)),
    ],
  ])('forget an update that %s, and keep those before it', async (_, spoil) => {
    await packs.add(updateOf(1));
    await packs.add(updateOf(2));
    const path = join(directory, '1.pack');
    await spoil(path, await readFile(path));
    expect((await reopened()).list()).toEqual([idOf(1)]);
  });

  it('bear what is no pack of theirs, and let go of it', async () => {
    await appendFile(join(directory, '7.pack'), 'not a pack, though long enough to be one: '.repeat(10));
    const found = await reopened();
    expect(found.list()).toEqual([]);
    expect(await files()).toEqual([]);
    await found.add(updateOf(1));
    expect(await files()).toEqual(['8.pack']);
  });

  it('refuse what cannot be written, and go on', async () => {
    await rm(directory, { recursive: true });
    await expect(packs.add(updateOf(1))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(packs.list()).toEqual([]);
    packs = new UpdatePacks((directory = await mkdtemp(join(tmpdir(), 'starling-packs-'))));
    await packs.add(updateOf(2));
    expect(packs.list()).toEqual([idOf(2)]);
  });
});
