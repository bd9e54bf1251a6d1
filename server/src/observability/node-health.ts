import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Operations } from '@starling/protocol/api';
import type { Presence } from '../coordinator/presence.ts';
import type { Database } from '../storage/database.ts';
import type { Readiness } from './readiness.ts';

/** What a node is asked about. */
export interface NodeParts {
  readonly id: string;
  readonly version: string;
  readonly database: Database;
  readonly databaseKind: Operations['node']['database']['kind'];
  readonly blobs: Operations['node']['blobs'];
  readonly presence: Presence;
  readonly readiness: Readiness;
}

type EventLoop = Operations['node']['eventLoop'];

/** How often the event loop is looked at, and over how long that is summed up, in milliseconds. */
const resolutionMs = 20;
const windowMs = 60_000;

/** How the process is: what `GET /v1/operations` says of the node that answers. Costs a timer. */
export class NodeHealth {
  readonly #parts: NodeParts;
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #turn: NodeJS.Timeout;
  #since = performance.now();
  #before: EventLoopUtilization = performance.eventLoopUtilization();
  /** Of the last window that is whole. */
  #last: EventLoop | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#delay.enable();
    this.#turn = setInterval(() => {
      this.#last = this.#window();
      this.#delay.reset();
      this.#since = performance.now();
      this.#before = performance.eventLoopUtilization();
    }, windowMs);
    this.#turn.unref();
  }

  close(): void {
    this.#delay.disable();
    clearInterval(this.#turn);
  }

  async read(): Promise<Operations['node']> {
    const { id, version, database, databaseKind: kind, blobs, presence, readiness } = this.#parts;
    const { rss, heapUsed } = process.memoryUsage();
    const { ready, checks, reasons } = await readiness.state();
    return {
      id,
      version,
      upMs: Math.round(process.uptime() * 1000),
      ready,
      checks,
      reasons,
      eventLoop: this.#last ?? this.#window(),
      memory: {
        residentBytes: rss,
        heapBytes: heapUsed,
        heapLimitBytes: getHeapStatistics().heap_size_limit,
        machineBytes: machineBytes(),
      },
      database: { kind, ...database.load() },
      blobs,
      devices: presence.count(),
    };
  }

  #window(): EventLoop {
    // what is measured is the time between two firings of a timer
    const late = (nanoseconds: number) =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - resolutionMs) : 0;
    return {
      overMs: Math.round(performance.now() - this.#since),
      p50Ms: late(this.#delay.percentile(50)),
      p99Ms: late(this.#delay.percentile(99)),
      maxMs: late(this.#delay.max),
      busy: performance.eventLoopUtilization(this.#before).utilization,
    };
  }
}

/** A container's limit where there is one. */
function machineBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
