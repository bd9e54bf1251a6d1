import type { Database, DatabaseLoad, Querier } from '../storage/database.ts';
import type { Observer } from './observer.ts';

/** Longest SQL that a span shows; it has placeholders where values are. */
const shownCharacters = 400;

/** A database whose queries and transactions are timed, and told as spans. */
export class ObservedDatabase implements Database {
  readonly #database: Database;
  readonly #observer: Observer;

  constructor(database: Database, observer: Observer) {
    this.#database = database;
    this.#observer = observer;
  }

  query<R extends object>(sql: string, parameters?: readonly unknown[]): Promise<R[]> {
    return this.#timed('query', () =>
      this.#observer.step('database query', textOf(sql), () => this.#database.query<R>(sql, parameters)),
    );
  }

  tx<T>(work: (tx: Querier) => Promise<T>): Promise<T> {
    return this.#timed('transaction', () =>
      this.#observer.step('database transaction', {}, () =>
        this.#database.tx((tx) =>
          work({
            query: (sql, parameters) =>
              this.#observer.step('database query', textOf(sql), () => tx.query(sql, parameters)),
          }),
        ),
      ),
    );
  }

  load(): DatabaseLoad {
    return this.#database.load();
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #timed<T>(work: 'query' | 'transaction', run: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await run();
    } finally {
      this.#observer.time('starling_database_duration_seconds', { work }, (performance.now() - begin) / 1000);
    }
  }
}

function textOf(sql: string) {
  return { 'db.query.text': sql.replace(/\s+/g, ' ').trim().slice(0, shownCharacters) };
}
