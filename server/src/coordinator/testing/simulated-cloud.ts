import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Capabilities, JobOrder, JobStatus, LogPart, TrainingBackend } from '../../training/backend.ts';
import type { JobOutcome } from './program.ts';

/** A cluster whose jobs end when they are told to, with the weights that they began with. */
export class SimulatedCloud implements TrainingBackend {
  readonly name = 'simulated';
  readonly #jobs = new Map<string, { order: JobOrder; status: JobStatus }>();

  capabilities(): Promise<Capabilities> {
    return Promise.resolve({
      frameworks: ['embedded'],
      machines: [{ cpu: 8, gpu: 0, npu: 0 }],
      maxWorkers: 1,
    });
  }

  assertFeasible(): Promise<void> {
    return Promise.resolve();
  }

  submit(order: JobOrder): Promise<void> {
    if (!this.#jobs.has(order.id)) this.#jobs.set(order.id, { order, status: { state: 'running' } });
    return Promise.resolve();
  }

  status(id: string): Promise<JobStatus> {
    return Promise.resolve(this.#jobs.get(id)?.status ?? { state: 'lost' });
  }

  logs(_id: string, from: number): Promise<LogPart> {
    return Promise.resolve({ text: '', next: from });
  }

  cancel(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (job?.status.state === 'running') job.status = { state: 'cancelled', message: 'It was cancelled.' };
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends the jobs under way. */
  async end(outcome: JobOutcome): Promise<void> {
    for (const [id, job] of this.#jobs) {
      if (job.status.state !== 'running') continue;
      if (outcome === 'lost') this.#jobs.delete(id);
      else {
        const { directory } = job.order;
        await copyFile(join(directory, 'weights-in.safetensors'), join(directory, 'weights-out.safetensors'));
        await writeFile(join(directory, 'metrics.json'), '{"loss":0.5}');
        job.status = { state: outcome };
      }
    }
  }
}
