import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobOrder, TrainingBackend } from './backend.ts';
import { prepareJob } from './job-directory.ts';
import { LocalBackend } from './local.ts';
import { RayBackend } from './ray/ray-backend.ts';
import {
  ended,
  holdContract,
  orderOf,
  program,
  runsOf,
  submitTo,
  until,
  type Bed,
} from './testing/contract.ts';
import type { ProgramOrder } from './testing/job-program.ts';
import { RayHead } from './testing/ray-head.ts';

const sources = fileURLToPath(new URL('../../../cluster/src', import.meta.url));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'starling-jobs-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

holdContract('processes beside the server', openLocal, 60_000);
holdContract('a Ray head', openRay, 60_000);

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

  it('gives the begin of a log that is too long, and the reason at its end', async () => {
    const long = new LocalBackend({ programs: { torch: ['/bin/sh', join(root, 'long.sh')] } });
    await writeFile(
      join(root, 'long.sh'),
      `yes ä | head -c 16777217; echo; echo '{"code": "internal", "message": "too long"}'; exit 1`,
    );
    const other = await submit(long, {});
    expect(await ended(long, other)).toMatchObject({ state: 'failed', message: 'internal: too long' });
    const { text, next } = await long.logs(other.id, 0);
    expect(next).toBe(text.length);
    expect(text.startsWith('ä\nä\n')).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16 * 2 ** 20);
    expect(await long.logs(other.id, next)).toEqual({ text: '', next });
    await long.close();
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

  it('ends when it has failed though its log cannot be read', async () => {
    head.hasLogs = false;
    const order = await submit(backend, { exit: 3 });
    expect(await ended(backend, order)).toMatchObject({
      ...{ state: 'failed', exit: 3 },
      message: expect.stringMatching(
        /^Job entrypoint command failed \(its log cannot be read: Ray answered 500/,
      ) as unknown,
    });
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
      expect(entrypoint).toBe(`exec python -m starling_cluster.job --config ${join(root, id, 'job.json')}`);
  });

  it('asks for devices in the words of Ray', async () => {
    await submit(backend, {}, { device: 'npu', workers: 2, perWorker: { cpus: 1, devices: 1 } });
    expect(head.submissions[0]).toMatchObject({ entrypoint_num_cpus: 2, entrypoint_resources: { NPU: 2 } });
  });

  it('is refused when no machine alone could hold it: it would be pending for ever', async () => {
    await expect(submit(backend, {}, { workers: 2, perWorker: { cpus: 2, devices: 0 } })).rejects.toThrow(
      'at most 3 cpu',
    );
    head.nodes.push({ state: 'ALIVE', resources_total: { CPU: 8 } });
    const many = { device: 'npu', perWorker: { cpus: 4, devices: 1 } } as const;
    await expect(submit(backend, {}, many)).rejects.toThrow('none has all');
    expect(head.submissions).toHaveLength(0);
  });

  it('refuses a directory that a shell would read in its own way', async () => {
    const order = { ...orderOf(root, {}), directory: '/data/$(id)' };
    await expect(backend.submit(order)).rejects.toThrow('letters, digits');
  });

  describe('that simulates on virtual devices', () => {
    const simulation = { kind: 'simulate', framework: 'embedded' } as const;
    let withProgram: RayBackend;
    beforeEach(async () => {
      const { url, token } = head;
      const simulator = join(root, 'simulator.mjs');
      await writeFile(simulator, '// the program of simulations\n');
      withProgram = new RayBackend({ url, token, sources, simulator, node: '/opt/node' });
    });
    afterEach(() => withProgram.close());

    it('carries the program of simulations, and leaves it to its workers to ask for machines', async () => {
      await withProgram.assertFeasible(orderOf(root, simulation));
      await ended(withProgram, await submit(withProgram, {}, { ...simulation, workers: 4 }));
      const [examination, job] = head.submissions;
      expect(examination?.entrypoint).toBe('python -m starling_cluster.machines');
      expect(job).toMatchObject({
        entrypoint_num_cpus: 0,
        runtime_env: { env_vars: { STARLING_NODE: '/opt/node' } },
      });
      const [zip] = head.packages.values();
      expect(Object.keys(unzipSync(zip!))).toContain('starling_cluster/simulator.mjs');
    });

    it('may have as many workers as all machines have room for', async () => {
      await withProgram.assertFeasible(orderOf(root, { ...simulation, workers: 4 }));
      const refused = (changes: Partial<JobOrder>) =>
        expect(withProgram.assertFeasible(orderOf(root, { ...simulation, ...changes }))).rejects;
      await refused({ workers: 5 }).toThrow('room for at most 4');
      await refused({ workers: 2, perWorker: { cpus: 2, devices: 0 } }).toThrow('room for at most 1');
      await refused({ device: 'npu' }).toThrow('processors');
      await refused({ kind: 'warm-start' }).toThrow('no program for embedded');
    });

    it.each([
      [
        'has no Node',
        { machine: 'two', node: null, reason: '"node" cannot be run.' },
        'two has none that will do',
      ],
      ['has another Node', { machine: 'two', node: '22.1.0' }, 'two Node 22.1.0'],
    ])('is refused where a machine %s, until somebody has put it right', async (_, machine, says) => {
      head.machines = [{ machine: 'one', node: '20.20.0' }, machine];
      const order = orderOf(root, simulation);
      let now = 0;
      const other = clocked(() => now);
      for (now of [0, 1, 14_999]) await expect(other.assertFeasible(order)).rejects.toThrow(says);
      expect(head.submissions).toHaveLength(1);
      head.machines = [{ machine: 'one', node: '20.20.0' }];
      now = 15_001;
      await other.assertFeasible(order);
      expect(head.submissions).toHaveLength(2);
      await other.close();
    });

    it('asks the machines for Node once in a while, not for every job', async () => {
      let now = 0;
      const other = clocked(() => now);
      for (now of [0, 1_000, 299_000, 301_000]) await other.assertFeasible(orderOf(root, simulation));
      expect(head.submissions).toHaveLength(2);
      await other.close();
    });

    it('asks the machines once for all that wait for the answer', async () => {
      const order = orderOf(root, simulation);
      await Promise.all([1, 2, 3].map(() => withProgram.assertFeasible(order)));
      expect(head.submissions).toHaveLength(1);
    });

    it('is submitted without waiting for machines that do not answer', async () => {
      head.busy = true;
      const asking = withProgram.assertFeasible(orderOf(root, simulation));
      const order = await submit(withProgram, {}, simulation);
      expect((await withProgram.status(order.id)).state).toBe('queued');
      head.release();
      await asking;
    });

    const clocked = (clock: () => number) => {
      const { url, token } = head;
      return new RayBackend({ url, token, sources, simulator: join(root, 'simulator.mjs'), clock });
    };
  });

  it('refuses an interpreter that a shell would read in its own way', () => {
    const { url, token } = head;
    expect(() => new RayBackend({ url, token, sources, python: 'python; id' })).toThrow('letters, digits');
  });

  it('needs a token, and says when the cluster does not take it', async () => {
    expect(() => new RayBackend({ url: head.url, sources })).toThrow('RAY_AUTH_MODE=token');
    const wrong = new RayBackend({ url: head.url, token: 'another', sources });
    await expect(wrong.capabilities()).rejects.toThrow('refused the token (403)');
    await wrong.close();
  });

  it('counts its living nodes, and waits for the first of them', async () => {
    expect((await backend.capabilities()).machines).toEqual([
      { cpu: 3, gpu: 0, npu: 2 },
      { cpu: 1, gpu: 0, npu: 0 },
    ]);
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

const submit = (backend: TrainingBackend, training: ProgramOrder, changes?: Partial<JobOrder>) =>
  submitTo(backend, root, training, changes);
