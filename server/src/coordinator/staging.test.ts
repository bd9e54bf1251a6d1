import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssignmentId } from '@starling/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Staging, type Gathering } from './staging.ts';

const id = 'asg_of-a-test' as AssignmentId;
const update = Uint8Array.from({ length: 400_000 }, (_, index) => (index * 31) % 251);
const digest = createHash('sha256').update(update).digest('hex');

let directory: string;
let staging: Staging;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'starling-staging-'));
  staging = new Staging(join(directory, 'uploads'));
  await staging.prepare();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const gathering = (isOver = false): Gathering => ({ buffer: Buffer.alloc(update.length, 7), isOver });

async function* inPieces(bytes: Uint8Array, size: number, before: (at: number) => void = () => undefined) {
  for (let at = 0; at < bytes.length; at += size) {
    before(at);
    yield bytes.subarray(at, at + size);
    await Promise.resolve();
  }
}

it.each([1_000, 65_536, 400_000])(
  'gives back an upload that comes whole, in pieces of %i bytes',
  async (size) => {
    const { buffer, ...rest } = gathering();
    const pieces = inPieces(update, size);
    const { length, whole } = await staging.append(id, 0, update.length, pieces, { buffer, ...rest });
    expect(length).toBe(update.length);
    expect(whole?.bytes.buffer).toBe(buffer.buffer);
    expect(whole?.digest).toBe(digest);
    expect(Buffer.from(whole!.bytes).equals(update)).toBe(true);
    expect(Buffer.from(await staging.read(id)).equals(update)).toBe(true);
  },
);

it('keeps no more of a slow upload than is being written', async () => {
  const gathered = gathering();
  const slow = inPieces(update, 50_000, (at) => {
    gathered.isOver = at > 100_000;
  });
  expect(await staging.append(id, 0, update.length, slow, gathered)).toEqual({
    length: update.length,
    whole: undefined,
  });
  expect(await staging.readWhole(id)).toMatchObject({ digest });
});

it('does not give back what patience was lost for with its last byte', async () => {
  const gathered = gathering();
  async function* last() {
    yield update;
    await Promise.resolve();
    gathered.isOver = true;
  }
  expect((await staging.append(id, 0, update.length, last(), gathered)).whole).toBeUndefined();
});

it.each([true, false])('goes on from where a connection broke (gathered: %o)', async (isGathered) => {
  const broken = inPieces(update, 60_000, (at) => {
    if (at > 200_000) throw new Error('The line is dead.');
  });
  await expect(
    staging.append(id, 0, update.length, broken, isGathered ? gathering() : undefined),
  ).rejects.toThrow('The line is dead.');
  expect(await staging.offset(id)).toBe(240_000);
  await expect(staging.append(id, 0, update.length, inPieces(update, 60_000))).rejects.toMatchObject({
    code: 'upload-offset-mismatch',
    extra: { offset: 240_000 },
  });
  const rest = inPieces(update.subarray(240_000), 7_777);
  expect(await staging.append(id, 240_000, update.length, rest)).toMatchObject({ length: update.length });
  expect(await staging.digest(id)).toBe(digest);
  // Nothing is missing: a last part without bytes only says so.
  expect(await staging.append(id, update.length, update.length, inPieces(new Uint8Array(), 1))).toMatchObject(
    {
      length: update.length,
    },
  );
});

it.each([true, false])('takes no byte beyond what was announced (gathered: %o)', async (isGathered) => {
  const limit = update.length - 1;
  const gathered = isGathered ? { ...gathering(), buffer: Buffer.alloc(limit) } : undefined;
  await expect(staging.append(id, 0, limit, inPieces(update, 100_000), gathered)).rejects.toMatchObject({
    code: 'upload-too-large',
  });
  expect(await staging.offset(id)).toBe(300_000);
});

it('lets one write at a time', async () => {
  let goOn!: () => void;
  const waits = new Promise<void>((resolve) => (goOn = resolve));
  async function* held() {
    await waits;
    yield update;
  }
  const first = staging.append(id, 0, update.length, held());
  await expect(staging.append(id, 0, update.length, held())).rejects.toMatchObject({ code: 'upload-busy' });
  goOn();
  expect(await first).toMatchObject({ length: update.length });
});
