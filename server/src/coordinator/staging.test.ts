import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssignmentId } from '@starling/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
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

const never = new Promise<void>(() => undefined);
const gathering = (tookTooLong = never, length = update.length): Gathering & { letGo: number } => ({
  buffer: Buffer.alloc(length, 7),
  tookTooLong,
  letGo: 0,
  onLetGo() {
    this.letGo++;
  },
});

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
    const gathered = gathering();
    const { length, whole } = await staging.append(id, 0, update.length, inPieces(update, size), gathered);
    expect(length).toBe(update.length);
    expect(whole?.bytes.buffer).toBe(gathered.buffer.buffer);
    expect(gathered.letGo).toBe(0);
    expect(whole?.digest).toBe(digest);
    expect(Buffer.from(whole!.bytes).equals(update)).toBe(true);
    expect(Buffer.from(await staging.read(id)).equals(update)).toBe(true);
  },
);

it('lets go of a slow upload, also while nothing of it comes, and writes the rest as it comes', async () => {
  let lose!: () => void;
  let goOn!: () => void;
  const gathered = gathering(new Promise((resolve) => (lose = resolve)));
  const waits = new Promise<void>((resolve) => (goOn = resolve));
  async function* slow() {
    yield update.subarray(0, 123_456);
    lose();
    await waits;
    yield update.subarray(123_456);
  }
  const appended = staging.append(id, 0, update.length, slow(), gathered);
  await vi.waitUntil(() => gathered.letGo === 1);
  expect(await staging.offset(id)).toBe(123_456);
  gathered.buffer.fill(0); // it is another's now
  goOn();
  expect(await appended).toEqual({ length: update.length, whole: undefined });
  expect(await staging.readWhole(id)).toMatchObject({ digest });
  expect(gathered.letGo).toBe(1);
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
  const gathered = isGathered ? gathering(never, limit) : undefined;
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
