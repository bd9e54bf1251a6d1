import { once } from 'node:events';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  DatabaseError,
  DatabaseUnavailable,
  inTransaction,
  type Database,
  type DatabaseLoad,
  type Querier,
} from './database.ts';
import { lockDirectory } from './directory-lock.ts';
import { tidyTables } from './pglite-upkeep.ts';
import type { WorkerReply, WorkerRequest } from './pglite-worker.ts';

/** Time between two looks at which tables are to be tidied. */
const upkeepMs = 300_000;

/**
 * Opens (or creates) the embedded database under `directory`, in a worker thread, behind an exclusive lock.
 * Throws `DirectoryInUse` when another process has it open: two of them on one directory lose acknowledged rows.
 */
export async function openPglite(directory: string): Promise<Database> {
  await mkdir(directory, { recursive: true });
  const unlock = await lockDirectory(directory);
  try {
    const place = join(directory, 'pglite');
    if (!(await stat(join(place, 'PG_VERSION')).catch(() => undefined))) await create(place);
    return new PgliteDatabase(await startWorker(place), unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Creates the database in a worker of its own: what that takes (some 400 MB) is given back with the thread, and only then. */
async function create(place: string): Promise<void> {
  const worker = await startWorker(place);
  const exited = once(worker, 'exit');
  worker.postMessage('close');
  await exited;
}

async function startWorker(dataDirectory: string): Promise<Worker> {
  const worker = new Worker(new URL('./pglite-worker.js', import.meta.url), {
    workerData: { dataDirectory },
  });
  await once(worker, 'message');
  return worker;
}

interface Waiting {
  resolve: (rows: object[]) => void;
  reject: (error: Error) => void;
}

class PgliteDatabase implements Database {
  readonly #worker: Worker;
  readonly #unlock: () => Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  /** PGlite has one connection: statements queue behind the open transaction. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Statements and transactions that have their turn or wait for it. */
  #inLine = 0;
  #closed = false;
  readonly #upkeep: NodeJS.Timeout;

  constructor(worker: Worker, unlock: () => Promise<void>) {
    this.#worker = worker;
    this.#unlock = unlock;
    worker.on('message', (reply: WorkerReply | 'closed') => {
      if (reply === 'closed') return;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new DatabaseError(reply.error.message, reply.error.sqlState));
      else waiting?.resolve(reply.rows);
    });
    worker.on('error', (error: Error) => {
      this.#failAll(error);
    });
    this.#upkeep = setInterval(() => {
      tidyTables(this).catch(() => undefined); // it is tried again; what is wrong with the database, others say
    }, upkeepMs).unref();
    worker.on('exit', () => {
      clearInterval(this.#upkeep);
      this.#closed = true;
      this.#failAll(new DatabaseUnavailable('The database worker has ended.'));
    });
  }

  query<R extends object>(sql: string, parameters: readonly unknown[] = []): Promise<R[]> {
    return this.#inTurn(() => this.#send<R>(sql, parameters));
  }

  tx<T>(work: (tx: Querier) => Promise<T>): Promise<T> {
    return this.#inTurn(() =>
      inTransaction({ query: (sql, parameters = []) => this.#send(sql, parameters) }, work),
    );
  }

  load(): DatabaseLoad {
    const busy = Math.min(1, this.#inLine);
    return { busy, idle: 1 - busy, waiting: this.#inLine - busy };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#inTurn(async () => {
      this.#closed = true;
      const exited = once(this.#worker, 'exit');
      this.#worker.postMessage('close');
      await exited;
    });
    await this.#unlock();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#inLine++;
    const mine = this.#turn.then(work).finally(() => this.#inLine--);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #send<R extends object>(sql: string, parameters: readonly unknown[]): Promise<R[]> {
    if (this.#closed) return Promise.reject(new DatabaseUnavailable('The database is closed.'));
    return new Promise((resolve, reject) => {
      const id = ++this.#nextId;
      this.#waiting.set(id, { resolve: resolve as (rows: object[]) => void, reject });
      this.#worker.postMessage({ id, sql, parameters } satisfies WorkerRequest);
    });
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
