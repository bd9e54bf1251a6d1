import pg from 'pg';
import {
  DatabaseError,
  DatabaseUnavailable,
  inTransaction,
  UnsupportedDatabase,
  type Database,
  type DatabaseLoad,
  type Querier,
} from './database.ts';

export interface PostgresOptions {
  /** Connections of this process at most. */
  maxConnections?: number;
  /** How long a statement waits for a connection, and a lost server for a sign of life, in milliseconds. */
  patienceMs?: number;
}

const oldestServer = 150_000;

/** A transaction that its node forgot (or that lost its node) does not keep rows locked for longer than this. */
const idleTransactionMs = 30_000;

/** Collisions with other transactions: nothing happened, so the same work may be run again. */
const collisions = new Set(['40001', '40P01']);
const attempts = 8;

const { builtins } = pg.types;
/** pg's own, whose type lists the built-in types only. */
const parserOf = pg.types.getTypeParser as (oid: number) => (text: string) => unknown;
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [builtins.NUMERIC, Number],
  [builtins.TIMESTAMPTZ, (text) => new Date(text)],
  [
    builtins.BYTEA,
    (text) => {
      const { buffer, byteOffset, length } = Buffer.from(text.slice(2), 'hex');
      return new Uint8Array(buffer, byteOffset, length);
    },
  ],
]);

/** Lets values come as text that the parsers read, whatever the server's defaults are. */
async function settle(client: pg.ClientBase): Promise<void> {
  await client.query("set datestyle = 'ISO'; set timezone = 'UTC'; set bytea_output = 'hex'");
}

/**
 * Opens a pool of connections to PostgreSQL 15 or later (`postgres://user:password@host:port/database`; what the
 * URL leaves out comes from PGPASSWORD and its like). Throws `DatabaseUnavailable`, `UnsupportedDatabase`.
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Database> {
  const { maxConnections = 10, patienceMs = 15_000 } = options;
  const place = describeDatabase(url);
  const settings = {
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: patienceMs,
    query_timeout: 4 * patienceMs,
    idle_in_transaction_session_timeout: idleTransactionMs,
    keepAlive: true,
    application_name: 'starling',
    onConnect: settle,
    types: {
      getTypeParser: (oid: number) => parsers.get(oid) ?? parserOf(oid),
    },
  };
  const pool = new pg.Pool(settings);
  pool.on('error', () => undefined); // an idle connection was lost: the pool opens another
  const database = new PostgresDatabase(pool, place);
  try {
    const [server] = await database.query<{ number: number; text: string }>(
      "select current_setting('server_version_num')::int as number, current_setting('server_version') as text",
    );
    if (!server || server.number < oldestServer) {
      throw new UnsupportedDatabase(
        `The database at ${place} is PostgreSQL ${server?.text ?? 'of unknown version'}; 15 or later is needed.`,
      );
    }
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** Where a database URL points, without user and password. Throws `TypeError` for what is no such URL. */
export function describeDatabase(url: string): string {
  const { protocol, host, pathname } = URL.canParse(url)
    ? new URL(url)
    : { protocol: '', host: '', pathname: '' };
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new TypeError('A database is named by a URL: postgres://user:password@host:port/database.');
  }
  return `${host}${pathname}`;
}

class PostgresDatabase implements Database {
  readonly #pool: pg.Pool;
  readonly #place: string;

  constructor(pool: pg.Pool, place: string) {
    this.#pool = pool;
    this.#place = place;
  }

  query<R extends object>(sql: string, parameters: readonly unknown[] = []): Promise<R[]> {
    return this.#again(() => this.#connected((client) => this.#run<R>(client, sql, parameters)));
  }

  tx<T>(work: (tx: Querier) => Promise<T>): Promise<T> {
    return this.#again(() =>
      this.#connected((client) =>
        inTransaction({ query: (sql, parameters) => this.#run(client, sql, parameters) }, work),
      ),
    );
  }

  load(): DatabaseLoad {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #connected<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw this.#translated(error);
    });
    const ignore = () => undefined; // the statement under way, or the next, tells of the lost connection
    client.on('error', ignore);
    let lost = false;
    try {
      return await work(client);
    } catch (error) {
      lost = error instanceof DatabaseUnavailable;
      throw error;
    } finally {
      client.off('error', ignore);
      client.release(lost);
    }
  }

  async #run<R extends object>(
    client: pg.PoolClient,
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<R[]> {
    try {
      return (await client.query<R>(sql, parameters && [...parameters])).rows;
    } catch (error) {
      throw this.#translated(error);
    }
  }

  async #again<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const collided = error instanceof DatabaseError && collisions.has(error.sqlState ?? '');
        if (!collided || attempt === attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
      }
    }
  }

  /** Class 57P is a server that shuts down, class 08 a connection that failed, 53300 one that it had no room for. */
  #translated(error: unknown): Error {
    if (!(error instanceof Error)) return new DatabaseError(String(error), undefined);
    if (error instanceof pg.DatabaseError && !/^(57P|08|53300)/.test(error.code ?? '')) {
      return new DatabaseError(error.message, error.code);
    }
    return new DatabaseUnavailable(
      `The database at ${this.#place} cannot be reached (${error.message}). Trying again is safe once it can.`,
      { cause: error },
    );
  }
}
