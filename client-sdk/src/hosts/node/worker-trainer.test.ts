import { readSafetensors } from '@starling/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { tinyAssignment } from '../../core/testing/tiny-assignment.ts';
import { tinyExamples, tinyFetched } from '../../core/testing/tiny-model.ts';
import type { Trainer, TrainerJob } from '../../core/ports.ts';
import { Workbench } from '../../core/work.ts';
import { workerTrainer } from './worker-trainer.ts';

const job: TrainerJob = {
  kind: 'contribute',
  model: tinyFetched(),
  assignment: tinyAssignment(),
  examples: tinyExamples(),
};
let trainer: Trainer;
afterEach(() => trainer.close());

describe('a worker thread', () => {
  it('computes the same bytes as in place', async () => {
    trainer = workerTrainer();
    const { bytes } = await trainer.run(job);
    expect(bytes).toEqual(new Workbench(() => 0).run(job).bytes);
    expect(readSafetensors(bytes).tensors.has('weight')).toBe(true);
  });

  it('passes on the code of an error', async () => {
    trainer = workerTrainer();
    const y = new Int32Array(24).fill(-1);
    await expect(trainer.run({ ...job, examples: { ...job.examples, y } })).rejects.toMatchObject({
      name: 'WorkError',
      code: 'examples-mismatch',
    });
  });

  it('ends long training at once when told to, and then takes the next job', async () => {
    trainer = workerTrainer();
    const learning = { algorithm: 'fedavg', epochs: 100, batchSize: 1, rate: 1e-6 } as const;
    const { x, y, count } = tinyExamples(20_000);
    const endless = {
      ...job,
      examples: { x, y, count },
      assignment: tinyAssignment({ work: { kind: 'training', learning } }),
    };
    const stop = new AbortController();
    const long = trainer.run(endless, stop.signal);
    setImmediate(() => {
      stop.abort();
    });
    await expect(long).rejects.toMatchObject({ code: 'worker-failed' });
    expect((await trainer.run(job)).bytes.length).toBeGreaterThan(0);
  });
});
