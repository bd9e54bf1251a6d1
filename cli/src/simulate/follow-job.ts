import { BackendUnavailable, type JobOrder, type TrainingBackend } from '@starling/server';

export interface FollowOptions {
  /** Ends the job, once aborted. */
  readonly interrupted: AbortSignal;
  /** What the job writes, line by line. */
  readonly tell: (line: string) => void;
  readonly pollMs?: number;
  /** How long a backend may be out of reach, each time. */
  readonly patienceMs?: number;
}

/**
 * Starts a job, and returns when it has succeeded. On every other way out it is asked to end: nobody would wait for it.
 * @throws Error When it did not succeed; BackendUnavailable, NotFeasible
 */
export async function followJob(
  backend: TrainingBackend,
  order: JobOrder,
  options: FollowOptions,
): Promise<void> {
  await backend.assertFeasible(order);
  try {
    await backend.submit(order);
    await follow(backend, order.id, options);
  } catch (error) {
    await backend.cancel(order.id).catch((reason: unknown) => {
      options.tell(`The job ${order.id} may still run on the cluster: ${(reason as Error).message}`);
    });
    throw error;
  }
}

async function follow(
  backend: TrainingBackend,
  id: string,
  { interrupted, tell, pollMs = 300, patienceMs = 60_000 }: FollowOptions,
): Promise<void> {
  let [from, begun, isEnding] = [0, '', false];
  let reachedAt = performance.now();
  for (;;) {
    try {
      if (interrupted.aborted && !isEnding) {
        await backend.cancel(id);
        isEnding = true;
      }
      const { state, message } = await backend.status(id);
      const { text, next } = await backend.logs(id, from);
      reachedAt = performance.now();
      from = next;
      const lines = `${begun}${text}`.split('\n');
      begun = lines.pop() ?? '';
      lines.forEach(tell);
      if (state === 'succeeded') return;
      if (state !== 'queued' && state !== 'running')
        throw new Error(`The simulation ${state} on the cluster: ${message ?? 'no reason was given'}`);
    } catch (error) {
      if (!(error instanceof BackendUnavailable) || performance.now() - reachedAt > patienceMs) throw error;
    }
    await new Promise((wake) => setTimeout(wake, pollMs));
  }
}
