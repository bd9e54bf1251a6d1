/** A thread that works out one forecast and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ForecastOrder } from '@starling/server';
import type { ForecastAnswer } from './forecast-threads.ts';
import { forecast } from './forecast.ts';
import { SimulationRefused } from './refused.ts';

if (!parentPort) throw new TypeError('This is the entry of a thread.');

const answer: ForecastAnswer = await forecast(workerData as ForecastOrder).then(
  (found) => ({ found }), // the thread that started this one gave the order
  (error: unknown) => {
    if (!(error instanceof SimulationRefused)) throw error;
    return { refused: error.message };
  },
);
parentPort.postMessage(answer);
