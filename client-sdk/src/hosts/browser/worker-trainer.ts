import type { Trainer } from '../../core/ports.ts';
import { queuedTrainer } from '../shared/queued-trainer.ts';
import type { TrainerReply } from '../shared/trainer-messages.ts';

/** Trains in a web worker, started with the first job. `url` is that of the bundle's train-worker.js. */
export function workerTrainer(url: string | URL): Trainer {
  return queuedTrainer((events) => {
    const worker = new Worker(url, { type: 'module', name: 'starling-training' });
    worker.onmessage = ({ data }: MessageEvent<TrainerReply>) => {
      events.reply(data);
    };
    worker.onerror = ({ message }) => {
      events.failed(message || `is ${String(url)} served, and does the page's policy allow it?`);
    };
    return {
      post: (job) => {
        worker.postMessage(job);
      },
      terminate: () => {
        worker.terminate();
      },
    };
  });
}
