import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Job, JobLog } from '@starling/protocol/api';
import { examineCluster, LocalBackend, RayBackend, type JobOrder } from '@starling/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRayHead, type RealRayHead } from '../../scripts/ray-head.mjs';
import { ask, finished } from './testing/jobs.ts';
import { eventually, tinyPlan, type Admin } from './testing/project.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';
import { wheelPack } from './testing/wheel-pack.ts';

/** Simulations on virtual devices, as tasks of a real Ray cluster: the same as in threads beside the server, bit for bit. */
const python = process.env['STARLING_TEST_PYTHON'] ?? 'python3';
const program = fileURLToPath(import.meta.resolve('@starling/simulator/job-process'));
const simulator = fileURLToPath(import.meta.resolve('@starling/simulator/ray-program'));
const sources = fileURLToPath(new URL('../../cluster/src', import.meta.url));
const main = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const patienceMs = 120_000;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let head: RealRayHead;
let server: TestServer;
let admin: Admin;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const wheel = join(directory.path, 'wheel');
  await wheelPack(wheel);
  head = await startRayHead(python);
  const onRay = { url: head.url, token: head.token, sources, simulator, python, node: process.execPath };
  const local = new LocalBackend({ programs: { embedded: [process.execPath, program] } });
  server = await testServer({
    dataDirectory: join(directory.path, 'data'),
    cloud: { backends: [local, new RayBackend(onRay)], dataSets: { wheel } },
  });
  admin = server.admin;
}, 180_000);
afterAll(async () => {
  await server.close();
  await head.stop();
  await directory.remove();
});

/** A hybrid plan, on more devices than people, of whom half are held out. */
const training = (rounds: number) => ({
  ...{ fleet: 'ideal', fold: 0, devices: 12 },
  plan: tinyPlan({
    ...{ rounds, cohort: { goal: 6, minimum: 3, overSelection: 1 } },
    evaluation: {
      everyRounds: 2,
      spec: { goal: 3, minimum: 1, supportShares: [0.5], steps: [1], rate: 0.1 },
    },
    hybrid: {
      everyRounds: 4,
      work: {
        ...{ kind: 'warm-start', framework: 'embedded', data: 'wheel', device: 'cpu', seed: 4 },
        ...{ workers: 1, cpusPerWorker: 1, devicesPerWorker: 0, wallSeconds: 60 },
        training: {
          ...{ algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1, rounds: 2 },
          ...{ cohort: { goal: 2 }, optimiser: { kind: 'sgd', rate: 1 } },
        },
      },
    },
  }),
});

const simulation = (backend: 'local' | 'ray', workers: number, rounds: number) =>
  ({
    ...{ kind: 'simulate', framework: 'embedded', data: 'wheel', seed: 5, backend, workers },
    training: training(rounds),
  }) as unknown as Job['work']; // in the words of a request: the server fills in the rest

async function simulated(backend: 'local' | 'ray', workers: number, rounds: number): Promise<Job> {
  return finished(admin, await ask(admin, await task(), simulation(backend, workers, rounds)), patienceMs);
}

const digest = expect.stringMatching(/^[0-9a-f]{64}$/) as unknown;
const task = () => admin.tinyTask({ seed: 2 });

describe('a simulation on a real Ray cluster', () => {
  it('comes to the report of threads beside the server, on 1, 2 and 4 actors', async () => {
    const { state, metrics } = await simulated('local', 2, 6);
    expect(state).toBe('succeeded');
    expect(metrics).toMatchObject({
      outcome: 'completed',
      devices: 12,
      heldOut: 3,
      digest,
      steps: [{ after: 4 }],
    });
    for (const workers of [1, 2, 4]) {
      const job = await simulated('ray', workers, 6);
      expect(job).toMatchObject({ state: 'succeeded', backend: 'ray', message: null });
      expect(job.metrics).toEqual(metrics);
    }
  });

  it('does again what an actor had done that was killed, and comes to the same bits', async () => {
    const rounds = 400;
    const { metrics } = await simulated('local', 2, rounds);
    const job = await ask(admin, await task(), simulation('ray', 2, rounds));
    const log = () => admin.get<JobLog>(`/v1/jobs/${job.id}/log?from=0`);
    await eventually(
      'a round',
      async () => ((await log()).text.includes('"round":') ? true : undefined),
      patienceMs,
    );
    const [worker] = workersOf(head);
    process.kill(worker!, 'SIGKILL');
    const done = await finished(admin, job, patienceMs);
    expect(done).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect((await log()).text).toContain('"lost":');
    expect(done.metrics).toEqual(metrics);
  });

  it('leaves room for another until it has all that it needs: two that do not fit together end one after the other', async () => {
    const both = await Promise.all([simulated('ray', 3, 6), simulated('ray', 3, 6)]);
    expect(both.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    expect(both[0].metrics).toEqual(both[1].metrics);
  });

  it('ends with its actors when it is cancelled', async () => {
    const job = await ask(admin, await task(), simulation('ray', 2, 100_000));
    await eventually('workers', () => Promise.resolve(workersOf(head).length === 2 || undefined), patienceMs);
    await admin.post(`/v1/jobs/${job.id}/cancel`);
    expect((await finished(admin, job, patienceMs)).state).toBe('cancelled');
    await eventually(
      'no worker',
      () => Promise.resolve(workersOf(head).length === 0 || undefined),
      patienceMs,
    );
  });

  it('is refused at once where it has no room, and where a machine has no Node', async () => {
    const tiny = await task();
    const refusal = async (work: object) =>
      (await admin.call('POST', `/v1/tasks/${tiny.id}/jobs`, { work })).body as { detail: string };
    expect(await refusal(simulation('ray', 5, 6))).toMatchObject({ code: 'job-not-feasible' });
    const { url, token } = head;
    const node = join(directory.path, 'old-node');
    await writeFile(node, '#!/bin/sh\necho v16.20.2\n', { mode: 0o755 });
    const backend = new RayBackend({ url, token, sources, simulator, python, node });
    const order: JobOrder = {
      ...{ id: 'job', directory: '/tmp/job', workers: 1, wallSeconds: 60 },
      ...{ kind: 'simulate', framework: 'embedded', device: 'cpu', perWorker: { cpus: 1, devices: 0 } },
    };
    await expect(backend.assertFeasible(order)).rejects.toThrow('Node 16.20.2 is too old');
    await backend.close();
    const report = await examineCluster({ url, token, sources, simulator, python, node: process.execPath });
    expect(report.findings).toContainEqual({
      ...{ check: 'node', state: 'ok' },
      says: `Node ${process.versions.node} on every machine.`,
    });
    expect(report.runs).toContainEqual(expect.objectContaining({ framework: 'embedded', maxWorkers: 4 }));
  });
});

describe('the command line with a real Ray cluster', () => {
  it('simulates there what it simulates here', async () => {
    const what = ['--synthetic', '--devices', '40', '--rounds', '3', '--fleet', 'ideal', '--json'];
    const here = await simulate([...what, '--threads', '1']);
    const onRay = ['--ray', head.url, '--ray-python', python, '--ray-node', process.execPath];
    const there = await simulate([...what, ...onRay, '--ray-directory', directory.path, '--workers', '3']);
    expect(there).toMatchObject({ workers: 3, synthetic: true });
    for (const field of ['digest', 'rounds', 'forecast', 'final'])
      expect(there[field], field).toEqual(here[field]);
  });
});

/** The report that `starling simulate … --json` ends with. */
async function simulate(options: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [main, 'simulate', ...options], {
    env: { ...process.env, STARLING_RAY_TOKEN: head.token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  expect(status).toBe(0);
  return JSON.parse(out) as Record<string, unknown>;
}

/** The processes of workers that run below a head. */
function workersOf({ directory }: RealRayHead): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return command.includes(`${directory}/`) && command.includes('simulator.mjs\0work');
      } catch {
        return false; // it has just ended
      }
    })
    .map(Number);
}
