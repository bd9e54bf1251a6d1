import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ProblemError, type ProjectId } from '@starling/protocol';
import type { TaskForecast } from '@starling/protocol/api';
import type { Forecaster, ForecastOrder } from '@starling/server';

export type ForecastAnswer = { readonly found: TaskForecast } | { readonly refused: string };

const entry = new URL('./forecast-thread.js', import.meta.url);

/** How long one forecast may take, and how many are under way or wait: of a server, and of one project. */
const limits = { ms: 20_000, all: 9, project: 2 };

/** Forecasts of a server, one after another, each in a thread that ends with it: the server goes on meanwhile. */
export function forecastThreads({ limitMs = limits.ms } = {}): Forecaster {
  let last: Promise<unknown> = Promise.resolve();
  const asked: ProjectId[] = [];
  return {
    forecast: async (order, gone = new AbortController().signal) => {
      const { projectId } = order;
      const ofProject = asked.filter((other) => other === projectId).length;
      if (asked.length >= limits.all || ofProject >= limits.project) {
        throw new ProblemError(
          'rate-limited',
          'Too many forecasts are asked for at once. Ask again when the last is there.',
          { retryAfterMs: limitMs / 4 },
        );
      }
      asked.push(projectId);
      const mine = last.then(() => inThread(order, limitMs, gone));
      last = mine.catch(() => undefined);
      try {
        return await Promise.race([mine, endOf(gone)]);
      } finally {
        asked.splice(asked.indexOf(projectId), 1);
      }
    },
  };
}

/** Rejects once nobody waits any more. */
function endOf(gone: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => {
      reject(new ProblemError('forecast-refused', 'Nobody waits for this forecast any more.'));
    };
    if (gone.aborted) end();
    gone.addEventListener('abort', end, { once: true });
  });
}

async function inThread(order: ForecastOrder, limitMs: number, gone: AbortSignal): Promise<TaskForecast> {
  gone.throwIfAborted(); // while it waited for its turn
  const thread = new Worker(entry, { workerData: order, resourceLimits: { maxOldGenerationSizeMb: 512 } });
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
  }, limitMs);
  try {
    const [answer] = (await once(thread, 'message', {
      signal: AbortSignal.any([limit.signal, gone]),
    })) as [ForecastAnswer]; // it sends nothing else
    if ('found' in answer) return answer.found;
    throw new ProblemError('forecast-refused', answer.refused);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      throw new ProblemError(
        'forecast-refused',
        'Playing the plan takes too much memory. Ask for fewer devices or fewer rounds.',
      );
    }
    if (!limit.signal.aborted) throw error;
    throw new ProblemError(
      'forecast-refused',
      `Playing the plan took longer than ${limitMs / 1000} s. Ask for fewer devices, fewer rounds or a shorter window.`,
    );
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
