/** One row of a result, by column name. */
export type Row = Record<string, unknown>;

/** Runs SQL (PostgreSQL 15 or later; `$1` parameters) and returns its rows. */
export interface Querier {
  query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
}

/**
 * The database, as two methods. Types come back the same whatever the engine: bigint and numeric as number,
 * timestamptz as Date, jsonb parsed, bytea as Uint8Array. As parameters, arrays are PostgreSQL arrays and objects
 * are JSON; an array that is meant as JSON is handed over as text.
 *
 * Throws {@link DatabaseError} for what the database refused, {@link DatabaseUnavailable} when it cannot be reached.
 */
export interface Database extends Querier {
  /**
   * Runs `work` in one transaction: all of it happens or none, also when `work` hides the error of a statement.
   * Others may run at the same time (read committed): lock first what the decision hangs on, then read it. Who
   * collides with another transaction (SQLSTATE 40001, 40P01) is run again, so `work` has no effect but its statements.
   */
  tx<T>(work: (tx: Querier) => Promise<T>): Promise<T>;
  load(): DatabaseLoad;
  close(): Promise<void>;
}

/** How busy a database is, as this process sees it. */
export interface DatabaseLoad {
  /** Connections that run something, and those that are open and do not. */
  busy: number;
  idle: number;
  /** Queries and transactions that wait for a connection. */
  waiting: number;
}

/**
 * Runs `work` in one transaction, with what else must happen or not happen together with it. As for
 * {@link Database.tx}, `work` has no effect but its statements.
 */
export type Commit<T> = (work: (tx: Querier) => Promise<T>) => Promise<T>;

/** Runs `work` between `begin` and `commit` of one connection; `rollback` when it, or any statement of it, fails. */
export async function inTransaction<T>(connection: Querier, work: (tx: Querier) => Promise<T>): Promise<T> {
  await connection.query('begin');
  let failure: Error | undefined;
  try {
    const result = await work({
      query: async (sql, parameters) => {
        try {
          return await connection.query(sql, parameters);
        } catch (error) {
          if (error instanceof Error) failure = error;
          throw error;
        }
      },
    });
    if (failure) throw failure;
    await connection.query('commit');
    return result;
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) await connection.query('rollback');
    throw error;
  }
}

/** An error that the database reported; `sqlState` is PostgreSQL's five-character code. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly sqlState: string | undefined;

  constructor(message: string, sqlState: string | undefined) {
    super(message);
    this.sqlState = sqlState;
  }
}

/** The database cannot be reached or did not answer: whether the statement under way took effect is unknown. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  readonly code = 'database-unavailable';
}

/** The database is of a version that this server does not work with. */
export class UnsupportedDatabase extends Error {
  override readonly name = 'UnsupportedDatabase';
  readonly code = 'unsupported-database';
}
