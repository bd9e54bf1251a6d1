/** One row of a result, by column name. */
export type Row = Record<string, unknown>;

/** Runs SQL (PostgreSQL 15 or later; `$1` parameters) and returns its rows. */
export interface Querier {
  query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
}

/**
 * The database, as two methods. Types come back the same whatever the engine: bigint and numeric as number,
 * timestamptz as Date, jsonb parsed, bytea as Uint8Array.
 */
export interface Database extends Querier {
  /** Runs `work` in one transaction: all of it happens or none. Nothing else runs between its statements. */
  tx<T>(work: (tx: Querier) => Promise<T>): Promise<T>;
  close(): Promise<void>;
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

export const uniqueViolation = '23505';
