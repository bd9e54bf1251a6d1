import { BackendUnavailable, type JobOrder, type TrainingBackend } from '@starling/server';
import { describe, expect, it } from 'vitest';
import { followJob } from './follow-job.ts';

const order: JobOrder = {
  ...{ id: 'simulation-1', kind: 'simulate', directory: '/tmp/simulation-1', framework: 'embedded' },
  ...{ device: 'cpu', workers: 2, perWorker: { cpus: 1, devices: 0 }, wallSeconds: 60 },
};

/** A backend that gives these answers, one after another, the last again and again. */
class Scripted implements TrainingBackend {
  readonly name = 'scripted';
  cancels = 0;
  readonly #answers: (Awaited<ReturnType<TrainingBackend['status']>> | Error)[];

  constructor(...answers: (Awaited<ReturnType<TrainingBackend['status']>> | Error)[]) {
    this.#answers = answers;
  }

  capabilities() {
    return Promise.resolve({ frameworks: [], machines: [], maxWorkers: 1 });
  }

  assertFeasible() {
    return Promise.resolve();
  }

  submit() {
    return Promise.resolve();
  }

  status() {
    const answer = this.#answers.length > 1 ? this.#answers.shift()! : this.#answers[0]!;
    if (answer instanceof Error) return Promise.reject(answer);
    if (this.cancels > 0)
      return Promise.resolve({ state: 'cancelled', message: 'It was cancelled.' } as const);
    return Promise.resolve(answer);
  }

  logs(_: string, from: number) {
    return Promise.resolve({ text: 'one\ntwo\n'.slice(from), next: 8 });
  }

  cancel() {
    this.cancels++;
    return Promise.resolve();
  }

  close() {
    return Promise.resolve();
  }
}

function followed(backend: TrainingBackend, patienceMs: number, interrupted = new AbortController().signal) {
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);
  return { lines, done: followJob(backend, order, { interrupted, tell, pollMs: 1, patienceMs }) };
}

const gone = new BackendUnavailable('Ray answered 502.');

describe('a simulation that the command line follows on a cluster', () => {
  it('outlives a cluster that is out of reach for a while', async () => {
    const backend = new Scripted({ state: 'running' }, gone, gone, { state: 'succeeded' });
    const { lines, done } = followed(backend, 60_000);
    await done;
    expect(lines).toEqual(['one', 'two']);
    expect(backend.cancels).toBe(0);
  });

  it.each([
    ['the cluster stays out of reach', new Scripted({ state: 'running' }, gone), '502'],
    ['the job fails', new Scripted({ state: 'failed', message: 'no room' }), 'no room'],
    ['its answer cannot be read', new Scripted(new TypeError('not a job')), 'not a job'],
  ])('is asked to end when %s', async (_, backend, says) => {
    await expect(followed(backend, -1).done).rejects.toThrow(says);
    expect(backend.cancels).toBe(1);
  });

  it('is asked to end when its submission may have been taken', async () => {
    const backend = new Scripted({ state: 'running' });
    backend.submit = () => Promise.reject(gone);
    await expect(followed(backend, -1).done).rejects.toThrow('502');
    expect(backend.cancels).toBe(1);
  });

  it('ends when it is interrupted, also before it was submitted', async () => {
    const backend = new Scripted({ state: 'running' });
    await expect(followed(backend, 60_000, AbortSignal.abort()).done).rejects.toThrow('cancelled');
  });

  it('says so when it cannot be asked to end', async () => {
    const backend = new Scripted({ state: 'failed' });
    backend.cancel = () => Promise.reject(gone);
    const { lines, done } = followed(backend, -1);
    await expect(done).rejects.toThrow('failed');
    expect(lines.at(-1)).toContain('simulation-1 may still run');
  });
});
