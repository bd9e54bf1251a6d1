import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan } from '@starling/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJob, type Job } from '../jobs/job.ts';
import { runSimulation } from '../jobs/simulate-job.ts';
import { writeFedpack } from '../data/write-fedpack.ts';
import { drive, type DriverOptions } from './testing/driver.ts';

/** A job of a simulation whose workers are processes, as on a cluster, beside the same in threads. */
describe('a simulation with workers in processes of their own', { timeout: 60_000 }, () => {
  let directory: string;
  let expected: { report: object; weights: Buffer };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'starling-simulation-'));
    const people = Array.from({ length: 9 }, (_, person) => ({
      id: `person-${person}`,
      count: 16,
      fold: person % 3,
    }));
    const rows = Array.from({ length: 9 * 16 }, (_, row) => row);
    await writeFedpack(join(directory, 'pack'), {
      name: 'waves',
      title: 'SYNTHETIC: made-up people for tests',
      classes: ['a', 'b', 'c'],
      users: people,
      arrays: [
        {
          ...{ name: 'x', dtype: 'float32', shape: [rows.length, 8] },
          values: rows.flatMap((row) =>
            Array.from({ length: 8 }, (_, i) => Math.fround(Math.sin(row + 8 * i))),
          ),
        },
        { name: 'y', dtype: 'uint8', shape: [rows.length], values: rows.map((row) => row % 3) },
      ],
    });
    await writeFile(join(directory, 'model.json'), JSON.stringify(model));
    const job = await prepare('threads', 2);
    await runSimulation(job, () => undefined);
    expected = await resultOf(job);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function prepare(name: string, workers: number, changes: object = {}): Promise<Job> {
    const at = (file: string) => join(directory, file);
    const job = {
      ...{ id: name, kind: 'simulate', model: at('model.json'), weightsIn: null, data: at('pack') },
      ...{ users: null, checkpoints: directory, workers, device: 'cpu', seed: 7 },
      ...{ weightsOut: at(`${name}.safetensors`), metricsOut: at(`${name}.metrics.json`) },
      training: { plan, fold: 0, devices: 18, ...changes },
      dataSets: { proxy: at('pack') },
    };
    await writeFile(at(`${name}.json`), JSON.stringify(job));
    return readJob(job);
  }

  async function resultOf(job: Job) {
    const report = JSON.parse(await readFile(job.metricsOut, 'utf8')) as { digest: string; rounds: object[] };
    return { report, weights: await readFile(job.weightsOut) };
  }

  async function driven(job: Job, options: Omit<DriverOptions, 'workers'> = {}) {
    return drive(join(directory, `${job.id}.json`), { workers: job.workers, ...options });
  }

  it.each([1, 3])('comes to the same report and the same bits: %i workers', async (workers) => {
    const job = await prepare(`on-${workers}`, workers);
    const { status, lines, failure, hired } = await driven(job);
    expect({ status, failure, hired }).toEqual({ status: 0, failure: undefined, hired: workers });
    const { report, weights } = await resultOf(job);
    expect(report).toEqual(expected.report);
    expect(weights.equals(expected.weights)).toBe(true);
    expect(lines.filter((line) => 'round' in line)).toHaveLength(plan.rounds);
  });

  it('does again what a worker had done that is gone, and comes to the same bits', async () => {
    const job = await prepare('killed', 2);
    const killed = new Set([3, 4, 11]); // two of one round, one later
    const { status, hired } = await driven(job, {
      onQuestion: (asked, kill) => {
        if (killed.has(asked)) kill();
      },
    });
    expect({ status, hired }).toEqual({ status: 0, hired: 5 });
    const { report, weights } = await resultOf(job);
    expect(report).toEqual(expected.report);
    expect(weights.equals(expected.weights)).toBe(true);
  });

  it('takes the steps in the cloud of a hybrid plan, and comes to the same bits', async () => {
    const changes = { plan: hybrid };
    const inThreads = await prepare('hybrid-threads', 2, changes);
    await runSimulation(inThreads, () => undefined);
    const local = await resultOf(inThreads);
    const job = await prepare('hybrid', 2, changes);
    expect(await driven(job)).toMatchObject({ status: 0, failure: undefined });
    const { report, weights } = await resultOf(job);
    expect(report).toEqual(local.report);
    expect(report).toMatchObject({ steps: [{ after: 2, metrics: { people: 9 } }] });
    expect(weights.equals(local.weights)).toBe(true);
    expect(weights.equals(expected.weights)).toBe(false);
  });

  it('gives up on work that ends one worker after another', async () => {
    const job = await prepare('deadly', 2);
    const { status, failure } = await driven(job, {
      onQuestion: (_, kill) => {
        kill();
      },
    });
    expect(status).toBe(1);
    expect(failure?.code).toBe('worker-lost');
  });

  it('refuses workers of another engine: their bits may be others', async () => {
    const job = await prepare('mixed', 1);
    const { status, failure } = await driven(job, { hello: { node: '18.20.4', v8: '10.2.154.26-node.36' } });
    expect(status).toBe(2);
    expect(failure).toMatchObject({ code: 'simulation-unsupported' });
    expect(failure?.message).toContain('Node 18.20.4');
  });

  it('says why it was refused, as the embedded program does', async () => {
    const wanting = { ...plan, cohort: { goal: 90, minimum: 90, overSelection: 1 } };
    const { status, failure } = await driven(await prepare('wanting', 1, { plan: wanting }));
    expect(status).toBe(2);
    expect(failure?.code).toBe('simulation-too-few-devices');
  });
});

const model = {
  umir: 1,
  opset: 1,
  name: 'small',
  inputs: [
    { id: 'x', shape: ['B', 8] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 3 },
  ],
  params: [
    { id: 'w', shape: [8, 3], init: { kind: 'uniform', fan: 8 } },
    { id: 'b', shape: [3], init: { kind: 'zeros' } },
  ],
  nodes: [{ op: 'dense', in: ['x', 'w', 'b'], out: 'logits' }],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  metrics: ['accuracy'],
};

const minuteMs = 60_000;
const plan: Plan = {
  learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.2 },
  optimiser: { kind: 'adam', rate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  rounds: 3,
  cohort: { goal: 6, minimum: 2, overSelection: 1.3 },
  windows: { selectingMs: 60 * minuteMs, trainingMs: minuteMs, aggregatingMs: minuteMs },
  adaptation: { steps: 2, rate: 0.1 },
  maxWeight: 4096,
  seed: 3,
};

const { learning, optimiser } = plan;
const hybrid: Plan = {
  ...plan,
  hybrid: {
    everyRounds: 2,
    work: {
      ...{ kind: 'warm-start', framework: 'embedded', data: 'proxy', device: 'cpu', seed: 4 },
      ...{ workers: 1, cpusPerWorker: 1, devicesPerWorker: 0, wallSeconds: 60 },
      training: { ...learning, rounds: 2, cohort: { goal: 2 }, optimiser },
    },
  },
};
