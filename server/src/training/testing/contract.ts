import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotFeasible, type JobOrder, type JobStatus, type TrainingBackend } from '../backend.ts';
import { prepareJob } from '../job-directory.ts';
import type { ProgramOrder } from './job-program.ts';

/** What jobs of the contract run: a program that does what it is told. */
export const program = fileURLToPath(new URL('./job-program.js', import.meta.url));

/** A backend to be held to the contract, and a way to keep its jobs from beginning. */
export interface Bed {
  backend: TrainingBackend;
  /** Makes every job wait; the result lets them begin. */
  hold: () => Promise<() => Promise<void>>;
  close: () => Promise<void>;
}

let jobs = 0;

/** What every backend keeps, whatever runs behind it. `open` gives a backend that knows no job of earlier tests. */
export function holdContract(name: string, open: () => Promise<Bed>, timeout: number): void {
  describe(name, { timeout }, () => {
    let bed: Bed;
    let root: string;
    const submit = (training: ProgramOrder, changes?: Partial<JobOrder>) =>
      submitTo(bed.backend, root, training, changes);
    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'starling-jobs-'));
      bed = await open();
    }, timeout);
    afterEach(async () => {
      await bed.close();
      await rm(root, { recursive: true, force: true });
    });

    it('runs a job to its end, and gives its output from any offset', async () => {
      const order = await submit({ say: ['one', 'two'] });
      expect(await ended(bed.backend, order)).toEqual({ state: 'succeeded', exit: 0 });
      const all = await bed.backend.logs(order.id, 0);
      expect(all.text).toBe('one\ntwo\n');
      expect(await bed.backend.logs(order.id, 4)).toEqual({ text: 'two\n', next: 8 });
      expect(await bed.backend.logs(order.id, all.next)).toEqual({ text: '', next: 8 });
      expect(await bed.backend.logs(order.id, 1000)).toEqual({ text: '', next: 1000 });
    });

    it('runs a job once, however often it is submitted', async () => {
      const order = await submit({});
      await bed.backend.submit(order);
      await ended(bed.backend, order);
      await bed.backend.submit(order);
      expect(await runsOf(order)).toBe(1);
      expect((await bed.backend.status(order.id)).state).toBe('succeeded');
    });

    it('says with which status a job failed, and why', async () => {
      const error = JSON.stringify({ code: 'bad-input', message: 'There is no data.' });
      const order = await submit({ say: ['working', error], exit: 3 });
      expect(await ended(bed.backend, order)).toEqual({
        state: 'failed',
        exit: 3,
        message: 'bad-input: There is no data.',
      });
    });

    it('cancels a job that runs', async () => {
      const order = await submit({ forever: true });
      await until(bed.backend, order, 'running');
      await bed.backend.cancel(order.id);
      expect((await ended(bed.backend, order)).state).toBe('cancelled');
    });

    it('cancels a job that waits: it never runs to its end', async () => {
      const release = await bed.hold();
      const order = await submit({ forever: true });
      await until(bed.backend, order, 'queued');
      await bed.backend.cancel(order.id);
      expect((await bed.backend.status(order.id)).state).toBe('cancelled');
      await release();
      expect((await ended(bed.backend, order)).state).toBe('cancelled');
    });

    it('ends a job that takes longer than it may', async () => {
      const order = await submit({ forever: true }, { wallSeconds: 0.2 });
      expect(await ended(bed.backend, order)).toEqual({
        state: 'failed',
        message: 'It ran longer than 0.2 s.',
      });
    });

    it('refuses a job for which it will never have enough', async () => {
      const wanted = { device: 'npu', perWorker: { cpus: 1, devices: 99 } } as const;
      await expect(submit({}, wanted)).rejects.toThrow(NotFeasible);
      await expect(submit({}, { workers: 10_000 })).rejects.toThrow('at most');
    });

    it('says "lost" of a job that it does not know', async () => {
      expect((await bed.backend.status('never-seen')).state).toBe('lost');
      await bed.backend.cancel('never-seen');
    });
  });
}

export function orderOf(root: string, changes: Partial<JobOrder>): JobOrder {
  const id = `job-${++jobs}`;
  return {
    ...{ id, kind: 'evaluate', directory: join(root, id), framework: 'torch', device: 'cpu', workers: 1 },
    wallSeconds: 60,
    perWorker: { cpus: 1, devices: 0 },
    ...changes,
  };
}

/** Prepares a job in a directory of its own below `root`, and submits it. */
export async function submitTo(
  backend: TrainingBackend,
  root: string,
  training: ProgramOrder,
  changes: Partial<JobOrder> = {},
): Promise<JobOrder> {
  const order = orderOf(root, changes);
  const work = { kind: order.kind, data: '/none', users: null, seed: 1, training } as const;
  await prepareJob(order, work, {}, undefined);
  await backend.submit(order);
  return order;
}

export async function ended(backend: TrainingBackend, { id }: JobOrder): Promise<JobStatus> {
  for (;;) {
    const status = await backend.status(id);
    if (status.state !== 'queued' && status.state !== 'running') return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function until(
  backend: TrainingBackend,
  { id }: JobOrder,
  state: JobStatus['state'],
): Promise<void> {
  while ((await backend.status(id)).state !== state) await new Promise((resolve) => setTimeout(resolve, 20));
}

export async function runsOf({ directory }: JobOrder): Promise<number> {
  return (await readFile(join(directory, 'runs'), 'utf8')).trim().split('\n').length;
}
