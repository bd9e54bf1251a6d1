import { deserialize, serialize } from 'node:v8';
import type { Readable, Writable } from 'node:stream';
import {
  WorkerLost,
  type Answers,
  type Crew,
  type CrewOrder,
  type Question,
  type RoundOrder,
} from '../simulation/crew.ts';
import { SimulationRefused } from '../simulation/refused.ts';
import { engineHere, writeOrder, type Engine, type Reply, type RoundBegin } from './bodies.ts';
import { framesFrom, writeFrame, type Frame, type FrameKind } from './frames.ts';

interface Place {
  /** Of the worker that has the place, or will have it. */
  arrival: Deferred<void>;
  question: Deferred<Answers[Question['kind']]> | undefined;
}

/** Workers in processes elsewhere, behind a driver that passes frames on and puts others in the places of those that are gone. */
export class PipedCrew implements Crew {
  readonly size: number;
  readonly ready: Promise<void>;
  readonly #output: Writable;
  readonly #places: readonly Place[];
  readonly #values: Float32Array;

  constructor(size: number, order: CrewOrder, input: Readable, output: Writable) {
    this.size = size;
    this.#output = output;
    this.#values = order.values;
    this.#places = Array.from({ length: size }, () => ({ arrival: new Deferred(), question: undefined }));
    this.ready = Promise.all(this.#places.map(({ arrival }) => arrival.promise)).then(() => undefined);
    this.ready.catch(() => undefined); // whoever waits for it is told
    this.#write('s', 0, writeOrder(order));
    this.#read(input).catch((error: unknown) => {
      this.#fail(error);
    });
  }

  begin(order: RoundOrder): void {
    const begin: RoundBegin = { order, values: new Float32Array(this.#values) };
    this.#write('r', 0, serialize(begin));
  }

  async ask<Kind extends Question['kind']>(
    worker: number,
    question: Extract<Question, { kind: Kind }>,
  ): Promise<Answers[Kind]> {
    const asked = new Deferred<Answers[Question['kind']]>();
    this.#places[worker]!.question = asked;
    this.#write('q', worker, serialize(question));
    return (await asked.promise) as Answers[Kind]; // a worker answers what it was asked
  }

  /** The driver ends the workers. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #read(input: Readable): Promise<void> {
    for await (const frame of framesFrom(input)) this.#take(frame);
    throw new Error('The driver of the simulation is gone.');
  }

  #take({ kind, worker, body }: Frame): void {
    const place = this.#places[worker]!;
    switch (kind) {
      case 'h':
        place.arrival.settle(() => {
          assertSame(JSON.parse(Buffer.from(body).toString()) as Engine);
        });
        return;
      case 'a':
        place.question?.settle(() => {
          const reply = deserialize(body) as Reply;
          if ('broken' in reply) throw new Error(`A worker of the simulation failed: ${reply.broken}`);
          return reply.answer;
        });
        return;
      case 'g':
        place.arrival = new Deferred();
        place.question?.reject(new WorkerLost(worker, place.arrival.promise));
        return;
      default:
        throw new TypeError(`The driver sent a frame of kind "${kind}".`);
    }
  }

  #write(kind: FrameKind, worker: number, body: Uint8Array): void {
    writeFrame(this.#output, { kind, worker, body });
  }

  #fail(error: unknown): void {
    for (const { arrival, question } of this.#places) {
      arrival.reject(error);
      question?.reject(error);
    }
  }
}

/** @throws SimulationRefused For a worker whose arithmetic may be another. */
function assertSame({ node, v8 }: Engine): void {
  if (v8 === engineHere.v8) return;
  throw new SimulationRefused(
    'simulation-unsupported',
    `A machine of the cluster has Node ${node}, and the coordinator of the simulation Node ${engineHere.node}: their results need not be the same bits. Give all machines the same version.`,
  );
}

class Deferred<T> {
  readonly promise: Promise<T>;
  #resolve: (value: T) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => undefined); // whoever waits for it is told
  }

  /** With what `value` gives or throws. */
  settle(value: () => T): void {
    try {
      this.#resolve(value());
    } catch (error) {
      this.#reject(error);
    }
  }

  reject(error: unknown): void {
    this.#reject(error);
  }
}
