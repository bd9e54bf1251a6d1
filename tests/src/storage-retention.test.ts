import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelVersion, Task } from '@starling/protocol';
import {
  BlobMissing,
  FileBlobs,
  KeptBlobs,
  migrate,
  openDatabase,
  type Database,
  type RemovableBlobs,
  type StoragePlace,
} from '@starling/server/storage';
import { startServer } from '@starling/server';
import { oneHot } from './testing/one-hot.ts';
import { postgresFile } from './testing/postgres-file.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice } from './testing/raw-device.ts';

/** On PostgreSQL where there is one: there, unlike in the embedded database, transactions overlap. */
const postgres = await postgresFile();
const { cleanups } = postgres;

async function place(): Promise<StoragePlace> {
  return postgres.missing === undefined ? postgres.place() : { dataDirectory: await postgres.directory() };
}

/** Files whose removal waits until it may go on. */
class SlowRemoval implements RemovableBlobs {
  readonly #blobs: RemovableBlobs;
  readonly started: Promise<void>;
  go: () => void = () => undefined;
  #start: () => void = () => undefined;
  readonly #gate: Promise<void>;

  constructor(blobs: RemovableBlobs) {
    this.#blobs = blobs;
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
    this.#gate = new Promise((resolve) => {
      this.go = resolve;
    });
  }

  put(bytes: Uint8Array): Promise<string> {
    return this.#blobs.put(bytes);
  }
  get(name: string): Promise<Uint8Array> {
    return this.#blobs.get(name);
  }
  size(name: string): Promise<number> {
    return this.#blobs.size(name);
  }
  stream(name: string, range: { start: number; end: number }): Readable {
    return this.#blobs.stream(name, range);
  }
  check(): Promise<void> {
    return this.#blobs.check();
  }
  async remove(name: string): Promise<void> {
    this.#start();
    await this.#gate;
    await this.#blobs.remove(name);
  }
}

describe('blobs that nothing refers to', () => {
  let database: Database;
  let files: FileBlobs;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const where = await place();
    const removeDirectory = cleanups.splice(0);
    database = await openDatabase(where);
    await migrate(database);
    await database.query("insert into projects (id, name) values ('prj_1', 'one'), ('prj_2', 'two')");
    files = new FileBlobs(join(where.dataDirectory, 'blobs'));
    close = async () => {
      await database.close();
      for (const cleanup of removeDirectory) await cleanup();
    };
  }, 120_000);
  afterAll(() => close());

  const age = (name: string) =>
    database.query("update stored_blobs set touched_at = now() - interval '2 hours' where sha256 = $1", [
      name,
    ]);
  const refer = (project: string, name: string) =>
    database.query('insert into blobs (project_id, sha256, bytes) values ($1, $2, 1)', [project, name]);
  const hourMs = 3_600_000;

  it('are removed once they are old; others stay', async () => {
    const blobs = new KeptBlobs(files, database);
    const [old, young, owned] = await Promise.all([1, 2, 3].map(() => blobs.put(randomBytes(40))));
    await refer('prj_2', owned!);
    await age(old!);
    await age(owned!);
    expect(await blobs.removeUnreferenced(hourMs)).toBe(1);
    await expect(blobs.get(old!)).rejects.toBeInstanceOf(BlobMissing);
    for (const name of [young!, owned!]) expect(await blobs.size(name)).toBe(40);
    expect(await blobs.removeUnreferenced(hourMs)).toBe(0);
  });

  it('stay when they are put again, however old they were', async () => {
    const blobs = new KeptBlobs(files, database);
    const bytes = randomBytes(40);
    const name = await blobs.put(bytes);
    await age(name);
    await blobs.put(bytes);
    expect(await blobs.removeUnreferenced(hourMs)).toBe(0);
    expect(await blobs.size(name)).toBe(40);
  });

  it('are there after a put that came while they were being removed', async () => {
    const slow = new SlowRemoval(files);
    const blobs = new KeptBlobs(slow, database);
    const bytes = randomBytes(40);
    const name = await blobs.put(bytes);
    await age(name);
    const removal = blobs.removeUnreferenced(hourMs);
    await slow.started;
    const put = blobs.put(bytes);
    slow.go();
    expect(await removal).toBe(1);
    expect(await put).toBe(name);
    await refer('prj_1', name);
    expect(Buffer.from(await blobs.get(name)).equals(bytes)).toBe(true);
    await age(name);
    expect(await blobs.removeUnreferenced(hourMs)).toBe(0);
  });
});

describe('a server that keeps two versions', { timeout: 120_000 }, () => {
  it('lets older weights go while it publishes, never those in use', async () => {
    const where = await place();
    const server = await startServer({
      ...where,
      logLevel: 'silent',
      pollIntervalMs: 50,
      retention: { keepVersions: 2, graceMs: 3_000, intervalMs: 100 },
    });
    cleanups.push(() => server.close());
    const admin = new Admin(server.url, server.firstKey ?? '');
    const device = await RawDevice.enrolled(server.url, await admin.enrolmentToken());
    const plan = { cohort: { goal: 1, minimum: 1, overSelection: 1 }, rounds: 5 };
    const task = await admin.tinyTask(plan);
    // A second task starts from version 0 of the first, and never gets a version of its own.
    const { items: first } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
    const draft = { name: 'draft', model: task.model, plan: task.plan, weights: first[0]!.id };
    const second = await admin.post<Task>('/v1/tasks', draft);
    const stray = join(where.dataDirectory, 'uploads', 'asg_of-a-round-long-over.update');
    await writeFile(stray, 'bytes');

    await admin.post(`/v1/tasks/${task.id}/start`);
    await eventually(
      'the task to complete',
      async () => {
        const assignment = await device.assignment();
        if (assignment?.state === 'offered') {
          const update = oneHot(assignment, 0);
          await device.reachUpload(assignment, update);
          await device.upload(assignment.id, update);
        }
        return (await admin.get<Task>(`/v1/tasks/${task.id}`)).state === 'completed' || undefined;
      },
      60_000,
    );
    const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
    expect(items.map(({ number }) => number)).toEqual([5, 4, 3, 2, 1, 0]);
    const status = async (version: ModelVersion) => {
      const answer = await fetch(`${admin.url}/v1/blobs/${version.weights}`, {
        headers: { authorization: `Bearer ${admin.key}` },
      });
      return answer.status;
    };
    await eventually('versions 1 to 3 to lose their weights', async () => {
      const found = await Promise.all(items.map(status));
      return found.join() === '200,200,404,404,404,200' || undefined;
    });
    // Version 0 is old too, but its weights are those that the second task starts from.
    const { items: kept } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${second.id}/versions`);
    expect(kept[0]!.weights).toBe(items[5]!.weights);
    await eventually('the stray upload to go', async () => {
      const names = await readdir(join(where.dataDirectory, 'uploads'));
      return names.length === 0 || undefined;
    });

    const spec = { goal: 1, minimum: 1, supportShares: [0.5], steps: [1], rate: 0.1 };
    await expect(
      admin.post(`/v1/tasks/${task.id}/evaluations`, { spec, version: items[3]!.id }),
    ).rejects.toThrow(/retention/);
    await expect(admin.post('/v1/tasks', { ...draft, weights: items[3]!.id })).rejects.toThrow(/retention/);
    await admin.post('/v1/tasks', { ...draft, weights: items[1]!.id });
  });
});
