import { DeviceError } from '../../core/errors.ts';
import type { Trainer, TrainerJob, TrainerResult } from '../../core/ports.ts';
import { resultOf, type TrainerReply } from './trainer-messages.ts';

/** A worker as a host has it. */
export interface TrainingWorker {
  post(job: TrainerJob): void;
  terminate(): void;
}

export interface TrainingWorkerEvents {
  reply(reply: TrainerReply): void;
  /** The worker could not start, or died. */
  failed(reason: string): void;
}

interface Waiting {
  readonly job: TrainerJob;
  readonly resolve: (result: TrainerResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gives jobs to a worker one at a time. A job whose signal aborts is given up at once: its worker is ended, since a
 * training step does not listen, and the next job gets a new one.
 */
export function queuedTrainer(start: (events: TrainingWorkerEvents) => TrainingWorker): Trainer {
  const queue: Waiting[] = [];
  let current: Waiting | undefined;
  let worker: TrainingWorker | undefined;

  const startWorker = (): TrainingWorker => {
    const started = start({
      reply: (reply) => {
        if (worker !== started) return;
        const done = current;
        current = undefined;
        try {
          done?.resolve(resultOf(reply));
        } catch (error) {
          done?.reject(error);
        }
        next();
      },
      failed: (reason) => {
        if (worker === started)
          endWorker(new DeviceError('worker-failed', `The training worker failed: ${reason}.`));
      },
    });
    return started;
  };
  const endWorker = (error: DeviceError) => {
    const lost = current;
    current = undefined;
    worker?.terminate();
    worker = undefined;
    lost?.reject(error);
    next();
  };
  const next = () => {
    if (current) return;
    current = queue.shift();
    if (!current) return;
    worker ??= startWorker();
    worker.post(current.job);
  };
  const giveUp = (waiting: Waiting, error: DeviceError) => {
    if (waiting === current) endWorker(error);
    else if (queue.includes(waiting)) {
      queue.splice(queue.indexOf(waiting), 1);
      waiting.reject(error);
    }
  };

  return {
    run: (job, signal) => {
      const stopped = new DeviceError('worker-failed', 'The work was given up before it was done.');
      if (signal?.aborted === true) return Promise.reject(stopped);
      let stop: (() => void) | undefined;
      const done = new Promise<TrainerResult>((resolve, reject) => {
        const waiting = { job, resolve, reject };
        stop = () => {
          giveUp(waiting, stopped);
        };
        signal?.addEventListener('abort', stop);
        queue.push(waiting);
        next();
      });
      return done.finally(() => {
        if (stop) signal?.removeEventListener('abort', stop);
      });
    },
    close: () => {
      const stopped = new DeviceError('worker-failed', 'The device was stopped before the work was done.');
      for (const waiting of queue.splice(0)) waiting.reject(stopped);
      endWorker(stopped);
      return Promise.resolve();
    },
  };
}
