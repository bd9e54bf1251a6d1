/** PGlite in its own thread: a slow query here does not stop the event loop that serves devices. */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, types } from '@electric-sql/pglite';
import { Statements } from './pglite-statements.ts';

export interface WorkerRequest {
  id: number;
  sql: string;
  parameters: readonly unknown[];
}
export type WorkerReply =
  { id: number; rows: object[] } | { id: number; error: { message: string; sqlState: string | undefined } };

const port = parentPort;
if (!port) throw new Error('pglite-worker runs as a worker thread only.');

const { dataDirectory } = workerData as { dataDirectory: string };
const database = await PGlite.create(dataDirectory, {
  parsers: {
    [types.INT8]: Number,
    [types.NUMERIC]: Number,
    [types.TIMESTAMPTZ]: (text: string) => new Date(text),
  },
});
const statements = new Statements(database);

port.on('message', (request: WorkerRequest | 'close') => {
  if (request === 'close') {
    void database.close().then(() => {
      port.postMessage('closed');
      port.close();
    });
    return;
  }
  const { id, sql, parameters } = request;
  statements.run(sql, parameters).then(
    (rows) => {
      port.postMessage({ id, rows } satisfies WorkerReply);
    },
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const sqlState = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      port.postMessage({ id, error: { message, sqlState } } satisfies WorkerReply);
    },
  );
});
port.postMessage('open');
