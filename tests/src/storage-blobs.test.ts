import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BlobMissing,
  BlobStoreFailed,
  FileBlobs,
  S3Blobs,
  s3Credentials,
  s3Place,
  type RemovableBlobs,
} from '@starling/server/storage';
import { TestS3, testCredentials } from './testing/s3.ts';
import { temporaryDirectory } from './testing/servers.ts';

/** One contract for every blob store. STARLING_TEST_S3 names a real bucket to hold it against, too. */
interface Kind {
  name: string;
  open: () => Promise<{ blobs: RemovableBlobs; close: () => Promise<void> }>;
}

const kinds: Kind[] = [
  {
    name: 'files',
    open: async () => {
      const directory = await temporaryDirectory();
      return { blobs: new FileBlobs(join(directory.path, 'blobs')), close: directory.remove };
    },
  },
  {
    name: 'an object store',
    open: async () => {
      const store = await TestS3.start();
      const place = s3Place(`s3://bucket/some/prefix?region=eu-west-1&endpoint=${store.url}`);
      return { blobs: new S3Blobs(place, testCredentials), close: store.close };
    },
  },
];
const real = process.env['STARLING_TEST_S3'];
if (real !== undefined) {
  kinds.push({
    name: `the object store ${real}`,
    open: () =>
      Promise.resolve({
        blobs: new S3Blobs(s3Place(real), s3Credentials(process.env)),
        close: () => Promise.resolve(),
      }),
  });
}

describe.each(kinds)('blobs in $name', ({ open }) => {
  let blobs: RemovableBlobs;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ blobs, close } = await open());
  });
  afterAll(() => close());

  it('are found again under their SHA-256, whole, in part, and by their size', async () => {
    const bytes = randomBytes(300_000);
    const name = await blobs.put(bytes);
    expect(name).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(Buffer.from(await blobs.get(name)).equals(bytes)).toBe(true);
    expect(await blobs.size(name)).toBe(bytes.length);
    const part = await buffer(blobs.stream(name, { start: 1000, end: 250_999 }));
    expect(part.equals(bytes.subarray(1000, 251_000))).toBe(true);
    const last = await buffer(blobs.stream(name, { start: bytes.length - 1, end: bytes.length - 1 }));
    expect(last.equals(bytes.subarray(-1))).toBe(true);
  });

  it('are the same when many put them at once, and again', async () => {
    const bytes = randomBytes(50_000);
    const names = await Promise.all(Array.from({ length: 8 }, () => blobs.put(bytes)));
    expect(new Set([...names, await blobs.put(bytes)]).size).toBe(1);
    expect(Buffer.from(await blobs.get(names[0]!)).equals(bytes)).toBe(true);
  });

  it('are missing until they are put, and after they are removed', async () => {
    const bytes = randomBytes(10);
    const name = createHash('sha256').update(bytes).digest('hex');
    await expect(blobs.get(name)).rejects.toBeInstanceOf(BlobMissing);
    await expect(blobs.size(name)).rejects.toBeInstanceOf(BlobMissing);
    await blobs.put(bytes);
    await blobs.remove(name);
    await blobs.remove(name);
    await expect(blobs.get(name)).rejects.toBeInstanceOf(BlobMissing);
    await blobs.put(bytes);
    expect(await blobs.size(name)).toBe(10);
  });

  it('take no other names than digests', async () => {
    const names = ['', '..', '../../etc/passwd', 'A'.repeat(64), `${'a'.repeat(64)}/x`];
    for (const name of names) await expect(blobs.get(name)).rejects.toBeInstanceOf(RangeError);
  });
});

describe('the client of an object store', () => {
  let store: TestS3;
  const open = (secret = testCredentials.secretAccessKey) =>
    new S3Blobs(
      s3Place(`s3://bucket/p?endpoint=${store.url}`),
      { ...testCredentials, secretAccessKey: secret },
      1,
    );
  beforeAll(async () => {
    store = await TestS3.start();
  });
  afterAll(() => store.close());

  it('asks again after broken connections and busy answers, and gives up in the end', async () => {
    const blobs = open();
    store.failures.push(503, 0, 500);
    const name = await blobs.put(Buffer.from('patience'));
    expect(store.requests).toHaveLength(4);
    store.failures.push(0, 429, 503, 500);
    const failed = blobs.get(name);
    await expect(failed).rejects.toBeInstanceOf(BlobStoreFailed);
    await expect(failed).rejects.toThrow(/status 500 SlowDown/);
    expect(Buffer.from(await blobs.get(name)).toString()).toBe('patience');
  });

  it('is refused with a wrong secret, at once and without telling it', async () => {
    const before = store.requests.length;
    const refused = await open('wrong-secret')
      .put(Buffer.from('x'))
      .catch((error: unknown) => error as Error);
    expect(refused).toBeInstanceOf(BlobStoreFailed);
    expect((refused as Error).message).toContain('SignatureDoesNotMatch');
    expect((refused as Error).message).not.toContain('wrong-secret');
    expect(store.requests).toHaveLength(before + 1);
  });

  it('does not take other bytes than those that it asked for', async () => {
    const blobs = open();
    const name = await blobs.put(Buffer.from('right'));
    store.objects.set(`/bucket/p/${name}`, Buffer.from('wrong'));
    await expect(blobs.get(name)).rejects.toThrow(/other bytes/);
  });

  it('reads where a URL points, and refuses what it cannot read', () => {
    expect(s3Place('s3://models/a/b/?region=eu-west-1')).toEqual({
      base: 'https://models.s3.eu-west-1.amazonaws.com/a/b',
      region: 'eu-west-1',
    });
    expect(s3Place('s3://models?endpoint=http://localhost:9000/')).toEqual({
      base: 'http://localhost:9000/models',
      region: 'us-east-1',
    });
    for (const url of ['models', 'http://models/x', 's3://Up_per/x', 's3://key:secret@models/x']) {
      expect(() => s3Place(url)).toThrow(TypeError);
    }
    expect(() => s3Credentials({ AWS_ACCESS_KEY_ID: 'only' })).toThrow(/AWS_SECRET_ACCESS_KEY/);
  });
});
