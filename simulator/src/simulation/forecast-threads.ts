import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ProblemError } from '@starling/protocol';
import type { TaskForecast } from '@starling/protocol/api';
import type { Forecaster, ForecastOrder } from '@starling/server';

export type ForecastAnswer = { readonly found: TaskForecast } | { readonly refused: string };

const entry = new URL('./forecast-thread.js', import.meta.url);

/** How long one forecast may take, and how many may wait for the one that runs. */
const limits = { ms: 20_000, waiting: 8 };

/** Forecasts of a server, one after another, each in a thread that ends with it: the server goes on meanwhile. */
export function forecastThreads({ limitMs = limits.ms } = {}): Forecaster {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    forecast: async (order) => {
      if (waiting > limits.waiting)
        throw new ProblemError(
          'rate-limited',
          'Too many forecasts are asked for at once. Ask again shortly.',
          {
            retryAfterMs: limits.ms,
          },
        );
      waiting++;
      const mine = last.then(() => inThread(order, limitMs));
      last = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
  };
}

async function inThread(order: ForecastOrder, limitMs: number): Promise<TaskForecast> {
  const thread = new Worker(entry, { workerData: order, resourceLimits: { maxOldGenerationSizeMb: 512 } });
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
  }, limitMs);
  try {
    const [answer] = (await once(thread, 'message', { signal: limit.signal })) as [ForecastAnswer]; // it sends nothing else
    if ('found' in answer) return answer.found;
    throw new ProblemError('forecast-refused', answer.refused);
  } catch (error) {
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
