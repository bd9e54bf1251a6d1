import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { examplesOf } from './examples.ts';
import { openPack } from './fedpack.ts';
import { fetchUciHar, uciHarUrl } from './fetch-uci-har.ts';
import { partition } from './partition.ts';
import { uciHarFacts } from './uci-har.ts';

/** Three people, five rows of two features: subjects 3 and 1 train, subject 2 tests. */
const facts = {
  ...uciHarFacts,
  subjects: 3,
  features: 2,
  trainRows: 3,
  testRows: 2,
  maxArchiveBytes: 20_000,
  maxMemberBytes: 10_000,
};

const files: Readonly<Record<string, string>> = {
  'features.txt': '1 tBodyAcc-mean()-X\n2 angle(X,gravityMean)\n',
  'activity_labels.txt': uciHarFacts.classes.map((name, i) => `${i + 1} ${name}\n`).join(''),
  'train/X_train.txt':
    '  2.5000000e-001 -5.0000000e-001\n -1.0000000e+000  1.0000000e+000\r\n  0.0000000e+000  1.2500000e-001\n',
  'train/y_train.txt': '5\n6\n1\n',
  'train/subject_train.txt': '3\n1\n3\n',
  'test/X_test.txt': '  7.5000000e-001  0.0000000e+000\n  6.2500000e-002 -7.5000000e-001\n',
  'test/y_test.txt': '2\n2\n',
  'test/subject_test.txt': '2\n2\n',
};

function innerArchive(changes: Readonly<Record<string, string | undefined>> = {}): Uint8Array {
  const members: Record<string, Uint8Array> = { '../../escape.txt': new TextEncoder().encode('no') };
  for (const [name, text] of Object.entries({ ...files, ...changes }))
    if (text !== undefined) members[`UCI HAR Dataset/${name}`] = new TextEncoder().encode(text);
  return zipSync(members);
}

function archive(changes: Readonly<Record<string, string | undefined>> = {}): Uint8Array<ArrayBuffer> {
  return zipSync({ 'UCI HAR Dataset.names': Uint8Array.of(1), 'UCI HAR Dataset.zip': innerArchive(changes) });
}

describe('fetching UCI HAR', () => {
  let base: string;
  let target: string;
  let log: string[];
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'starling-fetch-'));
  });
  beforeEach(async () => {
    target = join(await mkdtemp(join(base, 'case-')), 'data', 'uci-har');
    log = [];
  });
  afterAll(() => rm(base, { recursive: true }));

  const fetchOf = (bytes: Uint8Array<ArrayBuffer>, more = {}) =>
    fetchUciHar(target, {
      fetch: () => Promise.resolve(new Response(bytes)),
      log: (line) => log.push(line),
      facts,
      ...more,
    });
  const left = () => readdir(join(target, '..')).catch(() => []);

  it('downloads from the publisher and writes one user for each subject, in order', async () => {
    const asked: string[] = [];
    const bytes = archive();
    await fetchOf(bytes, {
      fetch: (url: string) => {
        asked.push(url);
        return Promise.resolve(new Response(bytes));
      },
    });
    expect(asked).toEqual([uciHarUrl]);
    const pack = await openPack(target);
    expect(pack.users.map(({ id, count, fold }) => [id, count, fold])).toEqual([
      ['1', 1, 0],
      ['2', 2, 1],
      ['3', 2, 2],
    ]);
    const third = examplesOf(pack, '3');
    expect([...third.x]).toEqual([0.25, -0.5, 0, 0.125]);
    expect([...third.y]).toEqual([4, 0]);
    expect([...examplesOf(pack, '2').x]).toEqual([0.75, 0, 0.0625, -0.75]);
    expect(partition(pack, { fold: 1 })).toEqual({ train: ['1', '3'], heldOut: ['2'] });
  });

  it('keeps and prints the digest of what was downloaded', async () => {
    const bytes = archive();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await fetchOf(bytes);
    const index = JSON.parse(await readFile(join(target, 'index.json'), 'utf8')) as { archive: unknown };
    expect(index.archive).toEqual({ bytes: bytes.length, sha256 });
    expect(log.join('\n')).toContain(sha256);
    expect(await readFile(join(target, 'README.md'), 'utf8')).toContain(sha256);
  });

  it('takes an archive got by hand, whole or only its inner part', async () => {
    const never = () => Promise.reject(new Error('nothing may be downloaded'));
    const file = join(base, 'by-hand.zip');
    await writeFile(file, innerArchive());
    expect((await fetchOf(archive(), { fetch: never, archive: file })).rows).toBe(5);
    await expect(fetchOf(archive(), { fetch: never, archive: join(base, 'none.zip') })).rejects.toMatchObject(
      { code: 'pack-exists' },
    );
    target += '-2';
    await expect(fetchOf(archive(), { fetch: never, archive: join(base, 'none.zip') })).rejects.toMatchObject(
      { code: 'fetch-file' },
    );
  });

  it('accepts the pinned digest and refuses any other', async () => {
    const bytes = archive();
    await expect(fetchOf(bytes, { sha256: '0'.repeat(64) })).rejects.toMatchObject({ code: 'fetch-digest' });
    expect(await left()).toEqual([]);
    const sha256 = createHash('sha256').update(bytes).digest('hex').toUpperCase();
    expect((await fetchOf(bytes, { sha256 })).users).toHaveLength(3);
  });

  it('unpacks nothing but the tables: no path of the archive reaches the disk', async () => {
    await fetchOf(archive());
    expect((await readdir(target)).sort()).toEqual(['README.md', 'data.bin', 'index.json']);
    expect(await left()).toEqual(['uci-har']);
  });

  it('says how to go on without the network, naming the address', async () => {
    const offline = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') }));
    const error: unknown = await fetchOf(archive(), { fetch: offline }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'fetch-network' });
    for (const part of [uciHarUrl, 'ENOTFOUND', '--archive FILE']) expect(String(error)).toContain(part);
    const gone = () => Promise.resolve(new Response('gone', { status: 404 }));
    await expect(fetchOf(archive(), { fetch: gone })).rejects.toThrow(/answered 404.*--archive FILE/);
  });

  it('does not start a download for a directory that is taken', async () => {
    await mkdir(target, { recursive: true });
    const never = () => Promise.reject(new Error('nothing may be downloaded'));
    await expect(fetchOf(archive(), { fetch: never })).rejects.toMatchObject({ code: 'pack-exists' });
  });

  it('stops reading a download that does not end', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent++;
        controller.enqueue(new Uint8Array(1000));
      },
    });
    await expect(
      fetchOf(archive(), { fetch: () => Promise.resolve(new Response(endless)) }),
    ).rejects.toMatchObject({ code: 'fetch-too-large' });
    expect(sent).toBeLessThan(30);
  });

  it('does not unpack a member that claims to be too large', async () => {
    const bomb = archive({ 'train/X_train.txt': '0'.repeat(facts.maxMemberBytes + 1) });
    await expect(fetchOf(bomb)).rejects.toMatchObject({ code: 'fetch-too-large' });
  });

  it('never unpacks more of a member than it claimed', async () => {
    const inner = innerArchive({ 'train/X_train.txt': '1 0\n'.repeat(2000) });
    const view = new DataView(inner.buffer, inner.byteOffset, inner.length);
    for (let at = 0; at < inner.length - 46; at++)
      if (view.getUint32(at, true) === 0x02014b50 && view.getUint32(at + 24, true) === 8000)
        view.setUint32(at + 24, 16, true); // the size after unpacking, in the central directory
    await expect(fetchOf(zipSync({ 'UCI HAR Dataset.zip': inner }))).rejects.toThrow(
      'these train rows: 4; published are 3',
    );
    expect(await left()).toEqual([]);
  });

  it.each([
    ['no archive at all', () => new TextEncoder().encode('<html>Not found</html>')],
    ['half an archive', () => archive().slice(0, 400)],
    ['an archive without the tables', () => zipSync({ 'README.txt': Uint8Array.of(1) })],
    ['an archive without one table', () => archive({ 'test/y_test.txt': undefined })],
  ])('refuses %s', async (_, bytes) => {
    await expect(fetchOf(bytes())).rejects.toMatchObject({ code: 'fetch-archive' });
    expect(await left()).toEqual([]);
  });

  it.each([
    ['a feature too few', { 'features.txt': '1 tBodyAcc-mean()-X\n' }],
    ['another class', { 'activity_labels.txt': files['activity_labels.txt']!.replace('LAYING', 'LYING') }],
    ['a row too few', { 'test/y_test.txt': '2\n' }],
    ['a label that is no class', { 'test/y_test.txt': '2\n7\n' }],
    ['a person too few', { 'test/subject_test.txt': '1\n1\n' }],
    ['a value too few in a row', { 'test/X_test.txt': '0.5\n0.5 0.5\n' }],
    ['a value outside [-1, 1]', { 'test/X_test.txt': '0.5 1.5\n0.5 0.5\n' }],
    ['a value that is no number', { 'test/X_test.txt': '0.5 NaN\n0.5 0.5\n' }],
  ])('refuses an archive with %s', async (_, changes) => {
    await expect(fetchOf(archive(changes))).rejects.toMatchObject({ code: 'fetch-facts' });
    expect(await left()).toEqual([]);
  });
});
