import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Task } from '@starling/protocol';
import { readSafetensors } from '@starling/protocol';
import type { Job, JobLog } from '@starling/protocol/api';
import { LocalBackend, RayBackend } from '@starling/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRayHead, type RealRayHead } from '../../scripts/ray-head.mjs';
import { ask, finished, judged, versionsOf, warmStart } from './testing/jobs.ts';
import { eventually, type Admin } from './testing/project.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';
import { wheelPack } from './testing/wheel-pack.ts';

/** Training on a real Ray cluster in PyTorch and MindSpore, as an operator asks for it: a server, REST, versions. */
const python = process.env['STARLING_TEST_PYTHON'] ?? 'python3';
const frameworks = ['torch', 'mindspore'] as const;
const has = (framework: string) =>
  (process.env['STARLING_TEST_FRAMEWORKS'] ?? '').split(',').includes(framework);
const program = fileURLToPath(import.meta.resolve('@starling/simulator/job-process'));
const sources = fileURLToPath(new URL('../../cluster/src', import.meta.url));
const main = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const patienceMs = 240_000;
/** Two engines in float32, thirty rounds apart: |difference| of any weight. */
const bound = 1e-4;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let head: RealRayHead;
let server: TestServer;
let admin: Admin;
beforeAll(async () => {
  directory = await temporaryDirectory();
  await wheelPack(join(directory.path, 'wheel'));
  head = await startRayHead(python);
  const ray = new RayBackend({ url: head.url, token: head.token, sources, python });
  const local = new LocalBackend({ programs: { embedded: [process.execPath, program] } });
  server = await testServer({
    dataDirectory: join(directory.path, 'data'),
    cloud: { backends: [local, ray], dataSets: { wheel: join(directory.path, 'wheel') } },
  });
  admin = server.admin;
}, 180_000);
afterAll(async () => {
  await server.close();
  await head.stop();
  await directory.remove();
});

describe.each(frameworks)('a job of %s on a Ray cluster', (framework) => {
  const work = { ...warmStart, framework } as Job['work'];

  it.skipIf(!has(framework))(
    'gives a task a warm start: the weights that our own engine comes to, as the next version',
    async () => {
      const task = await admin.tinyTask();
      const job = await ask(admin, task, work);
      const text = await followed(admin, job);
      const done = await finished(admin, job, patienceMs);
      expect(done).toMatchObject({ state: 'succeeded', backend: 'ray', attempts: 1, message: null });
      const lines = text.split('\n').filter((line) => line.startsWith('{"step"'));
      expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ step: 30, steps: 30 });
      expect(done.metrics).toMatchObject({ framework, device: 'cpu', users: 6, rows: 180 });
      const [version] = await versionsOf(admin, task);
      expect(version).toMatchObject({
        id: done.publishedVersion,
        number: 1,
        parent: task.currentVersion,
        job: job.id,
      });
      expect(await judged(admin, task)).toBeGreaterThan(0.95);
      const twin = await admin.tinyTask();
      await finished(admin, await ask(admin, twin, warmStart));
      expect(await apart(admin, task, twin)).toBeLessThan(bound);
    },
  );

  it.skipIf(!has(framework))('comes to the same weights with two workers', async () => {
    const [one, two] = [await admin.tinyTask(), await admin.tinyTask()];
    for (const [task, workers] of [
      [one, 1],
      [two, 2],
    ] as const) {
      const job = await finished(admin, await ask(admin, task, { ...work, workers }), patienceMs);
      expect(job).toMatchObject({ state: 'succeeded', metrics: { workers } });
    }
    expect(await apart(admin, one, two)).toBeLessThan(bound);
  });

  it.skipIf(!has(framework))('distils what a version knows into another task', async () => {
    const master = await admin.tinyTask();
    const { publishedVersion: teacher } = await finished(admin, await ask(admin, master, warmStart));
    const student = await admin.tinyTask({ seed: 9 });
    const before = await judged(admin, student);
    const training = {
      algorithm: 'sgd',
      epochs: 12,
      batchSize: 16,
      optimiser: { kind: 'adam', rate: 0.05 },
      hardShare: 0,
    };
    const lesson = { ...work, kind: 'distil', teacher: teacher!, training } as Job['work'];
    const job = await finished(admin, await ask(admin, student, lesson), patienceMs);
    expect(job).toMatchObject({ state: 'succeeded', backend: 'ray' });
    expect((await admin.get<Task>(`/v1/tasks/${student.id}`)).currentVersion).toBe(job.publishedVersion);
    expect(before).toBeLessThan(0.7);
    expect(await judged(admin, student)).toBeGreaterThan(0.95);
  });

  it.skipIf(!has(framework))('says of a device that Ray only declares that it is not there', async () => {
    const task = await admin.tinyTask();
    const job = await finished(admin, await ask(admin, task, { ...work, device: 'npu' }), patienceMs);
    expect(job.state).toBe('failed');
    expect(job.message).toContain('device-unavailable');
    expect(await versionsOf(admin, task)).toHaveLength(1);
  });
});

describe('a server with a Ray cluster', () => {
  it('has a cluster that the command line finds healthy', async () => {
    const flags = ['cluster', 'doctor', head.url, '--python', python, '--directory', directory.path];
    const child = spawn(process.execPath, [main, ...flags], {
      env: { ...process.env, STARLING_RAY_TOKEN: head.token },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number | null];
    expect(out).toMatch(/^ok +answers +Ray 2\./);
    expect(out).toContain(`${directory.path} is there`);
    const any = frameworks.some(has);
    expect(status).toBe(any ? 0 : 1);
    expect(out.trim().endsWith(any ? 'The cluster can run jobs.' : 'as it should.')).toBe(true);
    for (const framework of frameworks.filter(has))
      expect(out).toMatch(new RegExp(`^${framework} +\\S+ +cpu`, 'm'));
  });

  it.skipIf(!has('torch'))('refuses at once what no machine of the cluster can hold', async () => {
    const task = await admin.tinyTask();
    for (const changes of [
      { workers: 5 },
      { device: 'gpu', workers: 3 },
      { device: 'npu', devicesPerWorker: 3 },
    ]) {
      const work = { ...warmStart, framework: 'torch', ...changes };
      const { body } = await admin.call('POST', `/v1/tasks/${task.id}/jobs`, { work });
      expect(body).toMatchObject({ code: 'job-not-feasible' });
    }
  });

  it.skipIf(!has('torch'))('cancels a job on the cluster', async () => {
    const task = await admin.tinyTask();
    const long = { ...warmStart, framework: 'torch', training: { ...warmStart.training, rounds: 1_000_000 } };
    const job = await ask(admin, task, long as Job['work']);
    await progress(admin, job);
    await admin.post(`/v1/jobs/${job.id}/cancel`);
    expect((await finished(admin, job, patienceMs)).state).toBe('cancelled');
    expect(await versionsOf(admin, task)).toHaveLength(1);
  });

  it.skipIf(!has('torch'))(
    'starts a job again that the cluster lost when it died, and comes to the weights of an unbroken run',
    async () => {
      const training = { ...warmStart.training, rounds: 400, checkpointEvery: 20 };
      const work = { ...warmStart, framework: 'torch', training } as Job['work'];
      const [whole, broken] = [await admin.tinyTask(), await admin.tinyTask()];
      await finished(admin, await ask(admin, whole, work), patienceMs);
      const job = await ask(admin, broken, work);
      const checkpoints = join(directory.path, 'data', 'jobs', job.id, 'checkpoints');
      await eventually(
        'a checkpoint',
        async () => ((await readdir(checkpoints).catch(() => [])).length > 0 ? true : undefined),
        patienceMs,
      );
      await head.kill();
      await eventually('the job to end with its cluster', () =>
        Promise.resolve(!isRunning(job) || undefined),
      );
      head = await head.restart();
      const done = await finished(admin, job, patienceMs);
      expect(done).toMatchObject({ state: 'succeeded', attempts: 2 });
      expect((await versionsOf(admin, broken))[0]!.digest).toBe((await versionsOf(admin, whole))[0]!.digest);
    },
  );
});

/** Whether a process has the job's configuration on its command line. */
function isRunning({ id }: Job): boolean {
  return readdirSync('/proc').some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`${id}/job.json`);
    } catch {
      return false; // it has just ended
    }
  });
}

/** All that a job writes, read as it comes. */
async function followed(admin: Admin, { id }: Job): Promise<string> {
  let text = '';
  await eventually(
    'the end of the log',
    async () => {
      const { endedAt } = await admin.get<Job>(`/v1/jobs/${id}`);
      const part = await admin.get<JobLog>(`/v1/jobs/${id}/log?from=${text.length}`);
      text += part.text;
      return endedAt === null ? undefined : true;
    },
    patienceMs,
  );
  return text;
}

const progress = (admin: Admin, { id }: Job) =>
  eventually(
    'a step',
    async () =>
      (await admin.get<JobLog>(`/v1/jobs/${id}/log?from=0`)).text.includes('{"step"') ? true : undefined,
    patienceMs,
  );

/** The largest difference between weights of the current versions of two tasks on the same model. */
async function apart(admin: Admin, ...tasks: [Task, Task]): Promise<number> {
  const [one, two] = await Promise.all(tasks.map((task) => weightsOf(admin, task)));
  expect([...one!.keys()]).toEqual([...two!.keys()]);
  const faults = [...one!].flatMap(([name, values]) =>
    Array.from(values, (value, place) => Math.abs(value - two!.get(name)![place]!)),
  );
  return Math.max(...faults);
}

async function weightsOf(admin: Admin, task: Task): Promise<Map<string, Float32Array>> {
  const [version] = await versionsOf(admin, task);
  const answer = await fetch(`${admin.url}/v1/blobs/${version!.weights}`, {
    headers: { authorization: `Bearer ${admin.key}` },
  });
  const { tensors } = readSafetensors(new Uint8Array(await answer.arrayBuffer()));
  return new Map([...tensors].map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]));
}
