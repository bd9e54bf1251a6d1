import { Worker } from 'node:worker_threads';
import type { Trainer } from '../../core/ports.ts';
import { queuedTrainer } from '../shared/queued-trainer.ts';
import type { TrainerReply } from '../shared/trainer-messages.ts';

/** Trains in a worker thread, started with the first job. It does not keep the process alive by itself. */
export function workerTrainer(): Trainer {
  return queuedTrainer((events) => {
    const worker = new Worker(new URL('./train-worker.js', import.meta.url));
    worker.on('message', (reply: TrainerReply) => {
      events.reply(reply);
    });
    worker.on('error', (error: Error) => {
      events.failed(error.message);
    });
    worker.on('exit', (code) => {
      events.failed(`it ended with code ${code}`);
    });
    return {
      post: (job) => {
        worker.postMessage(job);
      },
      terminate: () => {
        void worker.terminate();
      },
    };
  });
}
