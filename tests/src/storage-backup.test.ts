import { appendFile, cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ModelVersion, RoundDetail, Task } from '@starling/protocol';
import { startServer, type StarlingServer } from '@starling/server';
import { restoreBackup, S3Blobs, s3Place, writeBackup, type StoragePlace } from '@starling/server/storage';
import { countsBetween, oneHot, versionsOf } from './testing/one-hot.ts';
import { postgresFile } from './testing/postgres-file.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice, sha256 } from './testing/raw-device.ts';
import { TestS3, testCredentials } from './testing/s3.ts';

const postgres = await postgresFile();
const { missing, cleanups } = postgres;

async function place(changes: Partial<StoragePlace> = {}): Promise<StoragePlace & { backup: string }> {
  const directory = await postgres.directory();
  return { dataDirectory: join(directory, 'data'), backup: join(directory, 'backup'), ...changes };
}

async function onPostgres(): Promise<Partial<StoragePlace>> {
  return { databaseUrl: await postgres.server().database() };
}

async function serve(where: StoragePlace): Promise<StarlingServer> {
  const server = await startServer({ ...where, logLevel: 'silent', pollIntervalMs: 50 });
  cleanups.push(() => server.close());
  return server;
}

/** A server that is in the midst of its second round: one of two updates has been acknowledged. */
async function midway(where: StoragePlace) {
  const server = await serve(where);
  const admin = new Admin(server.url, server.firstKey ?? '');
  const token = await admin.enrolmentToken({ name: 'line\u2028break "quoted" \\n' });
  const devices = [await RawDevice.enrolled(server.url, token), await RawDevice.enrolled(server.url, token)];
  for (const device of devices) await device.assignment();
  const task = await admin.tinyTask({ rounds: 2, cohort: { goal: 2, minimum: 2, overSelection: 1 } });
  await admin.post(`/v1/tasks/${task.id}/start`);
  await Promise.all(devices.map((device, index) => contribute(device, index)));
  await eventually('the first round to be published', async () => {
    const { roundsPublished } = await admin.get<Task>(`/v1/tasks/${task.id}`);
    return roundsPublished === 1 || undefined;
  });
  await contribute(devices[0]!, 2, async () => {
    const second = await offered(devices[1]!);
    await devices[1]!.say(second.id, 'accept');
  });
  await server.close();
  return { key: admin.key, devices, task };
}

async function offered(device: RawDevice) {
  return eventually('an assignment', async () => (await device.assignment()) ?? undefined);
}

/** Takes a device's assignment from where it stands to its acknowledged update: one at `index`, zero elsewhere. */
async function contribute(
  device: RawDevice,
  index: number,
  between = () => Promise.resolve(),
): Promise<void> {
  const assignment = await offered(device);
  const update = oneHot(assignment, index);
  if (assignment.state === 'offered') await device.say(assignment.id, 'accept');
  await between();
  const digest = sha256(update);
  await eventually('the round to train', async () => {
    try {
      await device.say(assignment.id, 'begin');
      const { state } = await device.say(assignment.id, 'ready', { digest, bytes: update.length });
      return state === 'grouped' || undefined;
    } catch {
      return undefined;
    }
  });
  const { body } = await device.upload(assignment.id, update);
  expect(body.state).toBe('uploaded');
}

describe('a backup', { timeout: 120_000 }, () => {
  let origin: StoragePlace & { backup: string };
  let lived: Awaited<ReturnType<typeof midway>>;
  let written: Awaited<ReturnType<typeof writeBackup>>;
  const kept: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    origin = await place();
    kept.push(...cleanups.splice(0));
    lived = await midway(origin);
    cleanups.length = 0;
    written = await writeBackup(origin, origin.backup);
  }, 120_000);
  afterAll(async () => {
    for (const cleanup of kept) await cleanup();
  });

  it('holds the acknowledged update of a round under way', () => {
    expect(written.uploads).toBe(1);
  });

  it('moves a server to another embedded database, where it goes on with its round', async () => {
    const target = await place();
    expect(await restoreBackup(origin.backup, target)).toEqual(written);
    await goesOn(target, lived);
  });

  it.skipIf(missing)(
    `moves a server to PostgreSQL and on to another, where it goes on with its round${missing ?? ''}`,
    async () => {
      const first = await place(await onPostgres());
      expect(await restoreBackup(origin.backup, first)).toEqual(written);
      expect(await writeBackup(first, first.backup)).toEqual(written);
      const second = await place(await onPostgres());
      await restoreBackup(first.backup, second);
      await goesOn(second, lived);
    },
  );

  it('moves blobs from files to an object store', async () => {
    const store = await TestS3.start();
    cleanups.push(store.close);
    const blobsUrl = `s3://bucket/moved?endpoint=${store.url}`;
    vi.stubEnv('AWS_ACCESS_KEY_ID', testCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', testCredentials.secretAccessKey);
    cleanups.push(() => Promise.resolve(vi.unstubAllEnvs()));
    const target = await place({ ...(missing === undefined && (await onPostgres())), blobsUrl });
    await restoreBackup(origin.backup, target);
    expect(store.objects.size).toBe(written.blobs + 1); // and the one that shows that the store can be written
    const server = await serve(target);
    const admin = new Admin(server.url, lived.key);
    const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${lived.task.id}/versions`);
    const answer = await fetch(`${server.url}/v1/blobs/${items[0]!.weights}`, {
      headers: { authorization: `Bearer ${lived.key}`, range: 'bytes=8-15' },
    });
    expect(answer.status).toBe(206);
    const whole = await new S3Blobs(s3Place(blobsUrl), testCredentials).get(items[0]!.weights);
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(whole.subarray(8, 16)))).toBe(true);
  });

  it('overwrites nothing, and is not taken while a server writes', async () => {
    await expect(writeBackup(origin, origin.backup)).rejects.toThrow(/not empty/);
    await rm(join(origin.dataDirectory, 'uploads'), { recursive: true });
    await expect(restoreBackup(origin.backup, origin)).rejects.toThrow(/holds a server already/);
    await serve(origin);
    const { backup } = await place();
    await expect(writeBackup(origin, backup)).rejects.toThrow(/Stop it first/);
  });

  it('is refused when a byte of it has changed, or a part is gone, before anything is written', async () => {
    const target = await place();
    const backup = join(target.backup, 'copy');
    await cp(origin.backup, backup, { recursive: true });
    const expectRefusal = async (wanted: RegExp) => {
      await expect(restoreBackup(backup, target)).rejects.toThrow(wanted);
      await expect(readdir(target.dataDirectory)).rejects.toThrow(/ENOENT/);
    };
    const [folder] = await readdir(join(backup, 'blobs'));
    const [blob] = await readdir(join(backup, 'blobs', folder!));
    await appendFile(join(backup, 'blobs', folder!, blob!), 'x');
    await expectRefusal(/has another digest/);
    await rm(join(backup, 'blobs', folder!, blob!));
    await expectRefusal(new RegExp(`Blob ${blob!} cannot be read`));
    const table = join(backup, 'tables', 'assignments.jsonl');
    await appendFile(table, '{}\n');
    await expectRefusal(/tables\/assignments.jsonl has another digest/);
    await rm(table);
    await expectRefusal(/cannot be read/);
    await writeFile(join(backup, 'manifest.json'), '{');
    await expectRefusal(/no manifest/);
  });
});

/** Serves a restored place, hands in the update that its round lacks, and looks at what came of all four. */
async function goesOn(where: StoragePlace, { key, devices, task }: Awaited<ReturnType<typeof midway>>) {
  const server = await serve(where);
  expect(server.firstKey).toBeUndefined();
  const admin = new Admin(server.url, key);
  const device = Object.assign(devices[1]!, { url: server.url });
  await contribute(device, 3); // its session is still good: the server is who it was
  await eventually('the task to complete', async () => {
    const { state } = await admin.get<Task>(`/v1/tasks/${task.id}`);
    return state === 'completed' || undefined;
  });
  const { items: rounds } = await admin.get<{ items: RoundDetail[] }>(`/v1/tasks/${task.id}/rounds`);
  expect(rounds.map(({ state }) => state)).toEqual(['published', 'published']);
  const versions = await versionsOf(admin, task);
  const counts = countsBetween(versions[0]!, versions.at(-1)!, 2);
  expect(counts.slice(0, 5)).toEqual([1, 1, 1, 1, 0]); // each of four updates once
}
