import { Worker } from 'node:worker_threads';
import type { Answers, Crew, CrewOrder, OpenCrew, Question, RoundOrder } from './crew.ts';
import type { ThreadAnswer, ThreadMessage } from './training-thread.ts';

const entry = new URL('./training-thread.js', import.meta.url);

/** Workers in threads of this process. They see the parameters in the memory that they share. */
export const onThreads =
  (threads: number): OpenCrew =>
  (order) =>
    new ThreadCrew(threads, order);

class ThreadCrew implements Crew {
  readonly size: number;
  readonly ready = Promise.resolve();
  readonly #threads: readonly Thread[];

  constructor(threads: number, order: CrewOrder) {
    this.size = threads;
    this.#threads = Array.from({ length: threads }, () => new Thread(order));
  }

  begin(order: RoundOrder): void {
    for (const thread of this.#threads) thread.post({ kind: 'round', order });
  }

  async ask<Kind extends Question['kind']>(
    worker: number,
    question: Extract<Question, { kind: Kind }>,
  ): Promise<Answers[Kind]> {
    const answer = await this.#threads[worker]!.ask(question);
    return answer as Answers[Kind]; // a worker answers what it was asked
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/** One thread, which answers one question at a time. */
class Thread {
  readonly #worker: Worker;
  #settle:
    { resolve: (answer: Answers[Question['kind']]) => void; reject: (error: Error) => void } | undefined;
  #broken: Error | undefined;

  constructor(order: CrewOrder) {
    this.#worker = new Worker(entry, { workerData: order });
    this.#worker.on('message', (reply: ThreadAnswer) => {
      if (reply.kind === 'broken') this.#fail(new Error(`A training thread failed: ${reply.message}`));
      else this.#settle?.resolve(reply.answer);
    });
    this.#worker.on('error', (error: Error) => {
      this.#fail(error);
    });
    this.#worker.on('exit', (code) => {
      this.#fail(new Error(`A training thread ended with code ${code}.`));
    });
  }

  post(message: ThreadMessage): void {
    this.#worker.postMessage(message);
  }

  async ask(question: Question): Promise<Answers[Question['kind']]> {
    if (this.#broken) throw this.#broken;
    const answered = new Promise<Answers[Question['kind']]>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.post(question);
    return answered;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    this.#settle?.reject(error);
  }
}
