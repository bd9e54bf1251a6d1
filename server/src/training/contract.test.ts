import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotFeasible, type JobOrder, type JobStatus, type TrainingBackend } from './backend.ts';
import { prepareJob } from './job-directory.ts';
import { LocalBackend } from './local.ts';
import { RayBackend } from './ray/ray-backend.ts';
import type { ProgramOrder } from './testing/job-program.ts';
import { RayHead } from './testing/ray-head.ts';

const program = fileURLToPath(new URL('./testing/job-program.js', import.meta.url));
const sources = fileURLToPath(new URL('../../../cluster/src', import.meta.url));

interface Bed {
  backend: TrainingBackend;
  /** Makes every job wait; the result lets them begin. */
  hold: () => Promise<() => Promise<void>>;
  close: () => Promise<void>;
}

let root: string;
let jobs = 0;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'starling-jobs-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Every backend keeps this contract. */
describe.each<{ name: string; open: () => Promise<Bed> }>([
  { name: 'processes beside the server', open: openLocal },
  { name: 'a Ray head', open: openRay },
])('$name', { timeout: 60_000 }, ({ open }) => {
  let bed: Bed;
  beforeEach(async () => {
    bed = await open();
  });
  afterEach(() => bed.close());

  it('runs a job to its end, and gives its output from any offset', async () => {
    const order = await submit(bed.backend, { say: ['one', 'two'] });
    expect(await ended(bed.backend, order)).toEqual({ state: 'succeeded', exit: 0 });
    const all = await bed.backend.logs(order.id, 0);
    expect(all.text).toBe('one\ntwo\n');
    expect(await bed.backend.logs(order.id, 4)).toEqual({ text: 'two\n', next: 8 });
    expect(await bed.backend.logs(order.id, all.next)).toEqual({ text: '', next: 8 });
    expect(await bed.backend.logs(order.id, 1000)).toEqual({ text: '', next: 1000 });
  });

  it('runs a job once, however often it is submitted', async () => {
    const order = await submit(bed.backend, {});
    await bed.backend.submit(order);
    await ended(bed.backend, order);
    await bed.backend.submit(order);
    expect(await runsOf(order)).toBe(1);
    expect((await bed.backend.status(order.id)).state).toBe('succeeded');
  });

  it('says with which status a job failed, and why', async () => {
    const error = JSON.stringify({ code: 'bad-input', message: 'There is no data.' });
    const order = await submit(bed.backend, { say: ['working', error], exit: 3 });
    expect(await ended(bed.backend, order)).toEqual({
      state: 'failed',
      exit: 3,
      message: 'bad-input: There is no data.',
    });
  });

  it('cancels a job that runs', async () => {
    const order = await submit(bed.backend, { forever: true });
    await until(bed.backend, order, 'running');
    await bed.backend.cancel(order.id);
    expect((await ended(bed.backend, order)).state).toBe('cancelled');
  });

  it('cancels a job that waits: it never runs to its end', async () => {
    const release = await bed.hold();
    const order = await submit(bed.backend, { forever: true });
    await until(bed.backend, order, 'queued');
    await bed.backend.cancel(order.id);
    expect((await bed.backend.status(order.id)).state).toBe('cancelled');
    await release();
    expect((await ended(bed.backend, order)).state).toBe('cancelled');
  });

  it('ends a job that takes longer than it may', async () => {
    const order = await submit(bed.backend, { forever: true }, { wallSeconds: 0.2 });
    expect(await ended(bed.backend, order)).toEqual({
      state: 'failed',
      message: 'It ran longer than 0.2 s.',
    });
  });

  it('refuses a job for which it will never have enough', async () => {
    const wanted = { device: 'npu', perWorker: { cpus: 1, devices: 99 } } as const;
    await expect(submit(bed.backend, {}, wanted)).rejects.toThrow(NotFeasible);
    await expect(submit(bed.backend, {}, { workers: 10_000 })).rejects.toThrow('at most');
  });

  it('says "lost" of a job that it does not know', async () => {
    expect((await bed.backend.status('never-seen')).state).toBe('lost');
    await bed.backend.cancel('never-seen');
  });
});

describe('a job beside the server', () => {
  it('waits for its turn', async () => {
    const { backend, close } = await openLocal();
    const first = await submit(backend, { forever: true });
    const second = await submit(backend, {});
    await until(backend, first, 'running');
    expect((await backend.status(second.id)).state).toBe('queued');
    await backend.cancel(first.id);
    expect((await ended(backend, second)).state).toBe('succeeded');
    await close();
  });

  it('ends with the server', async () => {
    const { backend, close } = await openLocal();
    const order = await submit(backend, { forever: true });
    await until(backend, order, 'running');
    await close();
    expect((await backend.status(order.id)).state).toBe('cancelled');
  });

  it('fails when its program is not there', async () => {
    const backend = new LocalBackend({ programs: { torch: ['/no/such/program'] } });
    const order = await submit(backend, {});
    const { state, message } = await ended(backend, order);
    expect(state).toBe('failed');
    expect(message).toContain('ENOENT');
  });
});

describe('a job on Ray', () => {
  let head: RayHead;
  let backend: RayBackend;
  beforeEach(async () => {
    head = new RayHead(program);
    await head.start();
    backend = rayBackend(head);
  });
  afterEach(async () => {
    await backend.close();
    await head.stop();
  });

  it('is lost when the head has forgotten it, and can be submitted again', async () => {
    const order = await submit(backend, { forever: true });
    await until(backend, order, 'running');
    head.forget();
    expect((await backend.status(order.id)).state).toBe('lost');
    await backend.submit(order);
    await until(backend, order, 'running');
  });

  it('leaves word for a job that the cluster may still start though it was cancelled', async () => {
    head.busy = true;
    const order = await submit(backend, {});
    await backend.cancel(order.id);
    expect(await readdir(order.directory)).toContain('cancelled');
    await prepareJob(
      order,
      { kind: 'evaluate', data: '/none', users: null, seed: 1, training: {} },
      {},
      undefined,
    );
    expect(await readdir(order.directory)).not.toContain('cancelled');
  });

  it('is found by a server that was started again', async () => {
    const order = await submit(backend, { say: ['done'] });
    await ended(backend, order);
    const other = rayBackend(head);
    await other.submit(order);
    expect((await other.status(order.id)).state).toBe('succeeded');
    expect(await runsOf(order)).toBe(1);
    await other.close();
  });

  it('carries the sources once, and no word of a tenant in its command', async () => {
    await ended(backend, await submit(backend, { say: ['$(touch /tmp/x)'] }));
    await ended(backend, await submit(backend, {}));
    expect(head.packages.size).toBe(1);
    expect(head.submissions).toHaveLength(2);
    for (const { entrypoint, submission_id: id } of head.submissions)
      expect(entrypoint).toBe(`python -m starling_cluster.job --config ${join(root, id, 'job.json')}`);
  });

  it('asks for devices in the words of Ray', async () => {
    await submit(backend, {}, { device: 'npu', workers: 2, perWorker: { cpus: 2, devices: 1 } });
    expect(head.submissions[0]).toMatchObject({ entrypoint_num_cpus: 4, entrypoint_resources: { NPU: 2 } });
  });

  it('refuses a directory that a shell would read in its own way', async () => {
    const order = { ...orderOf({}), directory: '/data/$(id)' };
    await expect(backend.submit(order)).rejects.toThrow('letters, digits');
  });

  it('needs a token, and says when the cluster does not take it', async () => {
    expect(() => new RayBackend({ url: head.url, sources })).toThrow('RAY_AUTH_MODE=token');
    const wrong = new RayBackend({ url: head.url, token: 'another', sources });
    await expect(wrong.capabilities()).rejects.toThrow('refused the token (403)');
    await wrong.close();
  });

  it('adds up what its living nodes have, and waits for the first of them', async () => {
    expect((await backend.capabilities()).devices).toEqual({ cpu: 4, gpu: 0, npu: 2 });
    head.nodes = [];
    await expect(backend.capabilities()).rejects.toMatchObject({ code: 'backend-unavailable' });
  });

  it('says when nobody answers', async () => {
    const nobody = new RayBackend({ url: 'http://127.0.0.1:9', token: 'x', sources });
    await expect(nobody.capabilities()).rejects.toMatchObject({ code: 'backend-unavailable' });
    await nobody.close();
  });
});

function openLocal(): Promise<Bed> {
  const backend = new LocalBackend({ programs: { torch: [process.execPath, program] } });
  return Promise.resolve({
    backend,
    hold: async () => {
      const blocker = await submit(backend, { forever: true });
      await until(backend, blocker, 'running');
      return () => backend.cancel(blocker.id);
    },
    close: () => backend.close(),
  });
}

async function openRay(): Promise<Bed> {
  const head = new RayHead(program);
  await head.start();
  const backend = rayBackend(head);
  return {
    backend,
    hold: () => {
      head.busy = true;
      return Promise.resolve(() => {
        head.release();
        return Promise.resolve();
      });
    },
    close: async () => {
      await backend.close();
      await head.stop();
    },
  };
}

function rayBackend({ url, token }: RayHead): RayBackend {
  return new RayBackend({ url, token, sources });
}

function orderOf(changes: Partial<JobOrder>): JobOrder {
  const id = `job-${++jobs}`;
  return {
    ...{ id, directory: join(root, id), framework: 'torch', device: 'cpu', workers: 1, wallSeconds: 60 },
    perWorker: { cpus: 1, devices: 0 },
    ...changes,
  };
}

async function submit(
  backend: TrainingBackend,
  training: ProgramOrder,
  changes: Partial<JobOrder> = {},
): Promise<JobOrder> {
  const order = orderOf(changes);
  const work = { kind: 'evaluate', data: '/none', users: null, seed: 1, training } as const;
  await prepareJob(order, work, {}, undefined);
  await backend.submit(order);
  return order;
}

async function ended(backend: TrainingBackend, { id }: JobOrder): Promise<JobStatus> {
  for (;;) {
    const status = await backend.status(id);
    if (status.state !== 'queued' && status.state !== 'running') return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function until(backend: TrainingBackend, { id }: JobOrder, state: JobStatus['state']): Promise<void> {
  while ((await backend.status(id)).state !== state) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function runsOf({ directory }: JobOrder): Promise<number> {
  return (await readFile(join(directory, 'runs'), 'utf8')).trim().split('\n').length;
}
