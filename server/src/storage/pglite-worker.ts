/** PGlite in its own thread: a slow query here does not stop the event loop that serves devices. */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, types } from '@electric-sql/pglite';

export interface WorkerRequest {
  id: number;
  /** One or several statements without parameters when `parameters` is absent. */
  sql: string;
  parameters?: readonly unknown[];
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

port.on('message', (request: WorkerRequest | 'close') => {
  if (request === 'close') {
    void database.close().then(() => {
      port.postMessage('closed');
      port.close();
    });
    return;
  }
  const { id, sql, parameters } = request;
  const run = parameters
    ? database.query<object>(sql, [...parameters]).then((result) => result.rows)
    : database.exec(sql).then(() => []);
  run.then(
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
