import { WorkError } from '../../core/errors.ts';
import type { TrainerJob, TrainerResult } from '../../core/ports.ts';
import { Workbench } from '../../core/work.ts';

/** What a training worker answers to a job: one answer a job, in order. */
export type TrainerReply =
  | { readonly result: TrainerResult }
  | { readonly failure: { readonly code: string; readonly message: string } };

/** The worker's side: does one job after another, keeping what it compiled. */
export function trainerAnswers(): (job: TrainerJob) => TrainerReply {
  const workbench = new Workbench(() => performance.now());
  return (job) => {
    try {
      return { result: workbench.run(job) };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  };
}

/** The app's side of an answer. Throws WorkError. */
export function resultOf(reply: TrainerReply): TrainerResult {
  if ('result' in reply) return reply.result;
  throw new WorkError(reply.failure.code, reply.failure.message);
}

/** What of an error passes between threads. */
function failureOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'training-failed', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'training-failed';
  return { code, message: error.message };
}
