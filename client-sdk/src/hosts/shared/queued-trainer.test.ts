import { beforeEach, describe, expect, it } from 'vitest';
import { tinyAssignment } from '../../core/testing/tiny-assignment.ts';
import { tinyExamples, tinyFetched } from '../../core/testing/tiny-model.ts';
import type { Trainer, TrainerJob } from '../../core/ports.ts';
import { queuedTrainer, type TrainingWorkerEvents } from './queued-trainer.ts';

/** A worker that answers when a test says so. */
class FakeWorker {
  readonly events: TrainingWorkerEvents;
  readonly jobs: TrainerJob[] = [];
  isTerminated = false;

  constructor(events: TrainingWorkerEvents) {
    this.events = events;
  }

  post(job: TrainerJob): void {
    this.jobs.push(job);
  }

  answer(byte: number): void {
    this.events.reply({ result: { bytes: Uint8Array.of(byte) } });
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

const job: TrainerJob = {
  kind: 'contribute',
  model: tinyFetched(),
  assignment: tinyAssignment(),
  examples: tinyExamples(2),
};
let workers: FakeWorker[];
let trainer: Trainer;
beforeEach(() => {
  workers = [];
  trainer = queuedTrainer((events) => {
    const worker = new FakeWorker(events);
    workers.push(worker);
    return worker;
  });
});

describe('queuedTrainer', () => {
  it('starts a worker with the first job and gives it one job at a time', async () => {
    expect(workers).toHaveLength(0);
    const [first, second] = [trainer.run(job), trainer.run(job)];
    expect(workers[0]?.jobs).toHaveLength(1);
    workers[0]?.answer(1);
    expect(workers[0]?.jobs).toHaveLength(2);
    workers[0]?.answer(2);
    expect([(await first).bytes[0], (await second).bytes[0]]).toEqual([1, 2]);
    expect(workers).toHaveLength(1);
  });

  it('ends the worker of a job that is given up, and goes on with the next in a new one', async () => {
    const stop = new AbortController();
    const first = trainer.run(job, stop.signal);
    const second = trainer.run(job);
    stop.abort();
    await expect(first).rejects.toMatchObject({ code: 'worker-failed' });
    expect(workers.map((worker) => worker.isTerminated)).toEqual([true, false]);
    workers[0]?.answer(1);
    workers[1]?.answer(2);
    expect((await second).bytes[0]).toBe(2);
  });

  it('takes a job out of the queue without disturbing the one at work', async () => {
    const stop = new AbortController();
    const first = trainer.run(job);
    const second = trainer.run(job, stop.signal);
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'worker-failed' });
    workers[0]?.answer(1);
    expect((await first).bytes[0]).toBe(1);
    expect(workers[0]?.jobs).toHaveLength(1);
  });

  it('does not begin a job that was given up before', async () => {
    await expect(trainer.run(job, AbortSignal.abort())).rejects.toMatchObject({ code: 'worker-failed' });
    expect(workers).toHaveLength(0);
  });

  it('fails the job of a worker that died, and starts another for the next', async () => {
    const first = trainer.run(job);
    workers[0]?.events.failed('it ran out of memory');
    await expect(first).rejects.toThrow(/out of memory/);
    const second = trainer.run(job);
    workers[1]?.answer(2);
    expect((await second).bytes[0]).toBe(2);
  });

  it('fails everything that waits when it is closed', async () => {
    const all = Promise.allSettled([trainer.run(job), trainer.run(job)]);
    await trainer.close();
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(workers.map((worker) => worker.isTerminated)).toEqual([true]);
  });
});
