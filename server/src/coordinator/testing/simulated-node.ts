import { randomBytes } from 'node:crypto';
import type { DeviceId, Assignment, GroupId } from '@starling/protocol';
import { javaScriptMasks, tweetnaclProvider } from '@starling/secure';
import { DatabaseUnavailable, type Database, type Querier } from '../../storage/database.ts';
import { unobserved } from '../../observability/observer.ts';
import type { RemovableBlobs } from '../../storage/blobs.ts';
import { KeptBlobs } from '../../storage/kept-blobs.ts';
import { Cloud } from '../../training/cloud.ts';
import { JobRunner } from '../../training/runner.ts';
import type { TrainingBackend } from '../../training/backend.ts';
import { unmaskingThreads } from '../../unmasking/unmasking-threads.ts';
import { deviceBatches } from '../batches.ts';
import { Budget } from '../budget.ts';
import type { Context } from '../context.ts';
import { Coordinator } from '../coordinator.ts';
import { GroupPost } from '../group-post.ts';
import { LiveGroups } from '../live-groups.ts';
import { Models } from '../models.ts';
import { Nodes } from '../nodes.ts';
import { Presence } from '../presence.ts';
import { RoundBook } from '../round-facts.ts';
import { RoundSums } from '../round-sums.ts';
import { Staging } from '../staging.ts';
import { UpdateBuffers } from '../update-buffers.ts';
import type { Gates, Settle } from './gates.ts';

/** What befalls a node at one of its calls: an error before it is done, one after it (the reply is lost), or death, before or after. */
export const faults = ['error-before', 'error-after', 'death-before', 'death-after'] as const;
export type Fault = (typeof faults)[number];

/** An error that the simulation made: whatever follows from it is the node's to bear. */
export class Injected extends DatabaseUnavailable {}

export interface Shared {
  readonly gates: Gates;
  readonly database: Database;
  readonly blobs: RemovableBlobs;
  /** Of uploads and jobs. */
  readonly directory: string;
  readonly backend: TrainingBackend;
  readonly dataSets: Readonly<Record<string, string>>;
  /** Milliseconds, the same for all but a node's skew. */
  now(): number;
  /** A hint on its way to a device. */
  hint(node: SimulatedNode, deviceId: DeviceId, assignment: Assignment): void;
  groupHint(node: SimulatedNode, deviceId: DeviceId, groupId: GroupId): void;
  /** An error in a node's log that nobody injected. */
  onError(fields: object, message: string): void;
}

/** A coordinator as a process has one: it can die at any call, and then does nothing more. */
export class SimulatedNode {
  readonly coordinator: Coordinator;
  readonly runner: JobRunner;
  /** How operators' changes are committed: in a transaction of this node's database. */
  readonly commit: <T>(work: (tx: Querier) => Promise<T>) => Promise<T>;
  alive = true;
  /** How far this node's own clock is off. */
  skewMs = 0;
  /** What was handed to timers, the first one first: the sign of life, and the loops of the poller. */
  readonly #timers: (() => Promise<void>)[] = [];
  #fault: { fault: Fault; afterCalls: number } | undefined;

  constructor(shared: Shared) {
    const { directory } = shared;
    const call = this.#through(shared.gates);
    const database: Database = {
      query: (sql, parameters) => call(() => shared.database.query(sql, parameters)),
      tx: (work) => call(() => shared.database.tx(work)),
      load: () => shared.database.load(),
      close: () => Promise.resolve(),
    };
    this.commit = (work) => database.tx(work);
    const staging = gated(new Staging(`${directory}/uploads`), call);
    const models = new Models(database);
    const repeat: Context['repeat'] = (work) => {
      this.#timers.push(work);
      return () => Promise.resolve();
    };
    const cloud = new Cloud({ backends: [shared.backend], dataSets: shared.dataSets }, `${directory}/jobs`);
    const nodes = new Nodes(database, repeat);
    const groups = new LiveGroups(
      {
        crypto: tweetnaclProvider((length) => new Uint8Array(randomBytes(length))),
        masks: javaScriptMasks(),
      },
      unmaskingThreads(),
    );
    const log: Context['log'] = {
      info: () => undefined,
      warn: () => undefined,
      error: (fields, message) => {
        if (!('error' in fields && fields.error instanceof Injected)) shared.onError(fields, message);
      },
    };
    const context: Context = {
      batches: deviceBatches(() => context),
      inMemory: new Budget(1 << 26),
      buffers: new UpdateBuffers(1 << 26),
      cloud,
      database,
      blobs: new KeptBlobs(gated(shared.blobs, call), database),
      staging,
      presence: new Presence(() => shared.now() + this.skewMs),
      models,
      rounds: new RoundBook(database, models),
      sums: new RoundSums(),
      nodes,
      groups,
      post: new GroupPost({ database, nodes, groups, line: { send: () => undefined }, log }),
      announce: {
        assignment: (deviceId, assignment) => {
          shared.hint(this, deviceId, assignment);
        },
        group: (deviceId, groupId) => {
          shared.groupHint(this, deviceId, groupId);
        },
        revoked: () => undefined,
        arrived: () => undefined,
        live: () => undefined,
      },
      log,
      observer: unobserved,
      repeat,
      background: new Set(),
      failpoint: () => undefined,
    };
    this.coordinator = new Coordinator(context, 250);
    this.runner = new JobRunner(context, 1000);
  }

  get context(): Context {
    return this.coordinator.context;
  }

  /** What the timers of a process do when they are due. */
  async beat(): Promise<void> {
    await this.#timers[0]?.();
  }

  async poll(): Promise<void> {
    await Promise.all(this.#timers.slice(1).map((timer) => timer()));
  }

  /** Lets the call after so many others fail. */
  failAfter(afterCalls: number, fault: Fault): void {
    this.#fault = { fault, afterCalls };
  }

  heal(): void {
    this.#fault = undefined;
  }

  #dueFault(): Fault | undefined {
    if (!this.#fault || this.#fault.afterCalls-- > 0) return undefined;
    const { fault } = this.#fault;
    this.#fault = undefined;
    return fault;
  }

  #through(gates: Gates) {
    return <T>(work: () => Promise<T>): Promise<T> =>
      gates.pass(
        () => this.alive,
        async (settle: Settle<T>) => {
          const fault = this.#dueFault();
          if (fault === 'death-before') this.alive = false;
          else if (fault === 'error-before') settle.reject(new Injected('The call did not get there.'));
          else {
            const outcome = await work().then(
              (value) => () => {
                settle.resolve(value);
              },
              (error: unknown) => () => {
                settle.reject(error);
              },
            );
            if (fault === 'death-after') this.alive = false;
            else if (fault === 'error-after') settle.reject(new Injected('The reply was lost.'));
            else outcome();
          }
        },
      );
  }
}

type Call = <T>(work: () => Promise<T>) => Promise<T>;

/** The same object, each call of which goes through a gate. */
function gated<T extends object>(target: T, call: Call): T {
  return new Proxy(target, {
    get(_, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        const made = () => Reflect.apply(member, target, given) as unknown; // a method of T
        if (member.constructor.name === 'AsyncGeneratorFunction') {
          return readThrough(call, made as () => AsyncIterable<unknown>);
        }
        return call(() => made() as Promise<unknown>); // all of them are asynchronous
      };
    },
  });
}

/** All that a stream has, in one call. */
async function* readThrough(call: Call, open: () => AsyncIterable<unknown>): AsyncGenerator {
  yield* await call(async () => {
    const items: unknown[] = [];
    for await (const item of open()) items.push(item);
    return items;
  });
}
