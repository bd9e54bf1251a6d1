/** A thread that is a worker of a simulation. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Answers, CrewOrder, Question, RoundOrder } from './crew.ts';
import { DeviceWorker } from './device-worker.ts';

export type ThreadMessage = { readonly kind: 'round'; readonly order: RoundOrder } | Question;

export type ThreadAnswer =
  | { readonly kind: 'answer'; readonly answer: Answers[Question['kind']] }
  | { readonly kind: 'broken'; readonly message: string };

const worker = new DeviceWorker(workerData as CrewOrder); // the main thread wrote it

parentPort?.on('message', (message: ThreadMessage) => {
  let reply: ThreadAnswer | undefined;
  try {
    if (message.kind === 'round') worker.begin(message.order);
    else reply = { kind: 'answer', answer: worker.answer(message) };
  } catch (error) {
    reply = { kind: 'broken', message: String(error) };
  }
  if (reply) parentPort?.postMessage(reply);
});
