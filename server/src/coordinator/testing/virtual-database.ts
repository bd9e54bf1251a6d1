import { PGlite, types } from '@electric-sql/pglite';
import {
  inTransaction,
  type Database,
  type Querier,
  type Row,
  type DatabaseLoad,
} from '../../storage/database.ts';
import { migrate } from '../../storage/migrate.ts';
import { Statements } from '../../storage/pglite-statements.ts';

/** One change of a row's state; `before` is null for a new row. */
export interface Move {
  readonly machine: 'tasks' | 'rounds' | 'groups' | 'assignments' | 'jobs';
  readonly id: string;
  readonly before: string | null;
  readonly after: string;
}

const machines = ['tasks', 'rounds', 'groups', 'assignments', 'jobs'] as const;

/**
 * Time that is set, not told: a `now()` of our own is found before PostgreSQL's, by every statement and by the defaults
 * of every column, since the tables are made after it.
 */
const virtualTime = `
  create schema simulated;
  create function simulated.now() returns timestamptz language sql stable
    as $$select pg_catalog.current_setting('simulated.now')::timestamptz$$;
  set search_path = simulated, public, pg_catalog;
  select set_config('simulated.now', '2030-01-01T00:00:00Z', false)`;

const recorder = [
  `create table moves (machine text not null, id text not null, before text, after text not null);
   create function record_move() returns trigger language plpgsql as
   $$begin
       if tg_op = 'INSERT' then insert into moves values (tg_table_name, new.id, null, new.state);
       else insert into moves values (tg_table_name, new.id, old.state, new.state);
       end if;
       return null;
     end$$`,
  ...machines.flatMap((table) => [
    `create trigger record_insert after insert on ${table} for each row execute function record_move()`,
    `create trigger record_update after update of state on ${table} for each row
       when (old.state is distinct from new.state) execute function record_move()`,
  ]),
].join(';\n');

/** The real schema in a PostgreSQL of this thread, whose clock stands still unless it is moved, and which notes every change of state. */
export class VirtualDatabase implements Database {
  readonly #engine: PGlite;
  readonly #statements: Statements;
  /** One connection: statements queue behind the open transaction. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #prepared = new Map<string, string>();

  private constructor(engine: PGlite) {
    this.#engine = engine;
    this.#statements = new Statements(engine);
  }

  static async open(): Promise<VirtualDatabase> {
    const engine = await PGlite.create({
      relaxedDurability: true,
      parsers: {
        [types.INT8]: Number,
        [types.NUMERIC]: Number,
        [types.TIMESTAMPTZ]: (text: string) => new Date(text),
      },
    });
    await engine.exec(virtualTime);
    const database = new VirtualDatabase(engine);
    await migrate(database);
    await engine.exec(recorder);
    return database;
  }

  load(): DatabaseLoad {
    return { busy: 0, idle: 1, waiting: 0 };
  }

  query<R extends object>(sql: string, parameters: readonly unknown[] = []): Promise<R[]> {
    return this.#inTurn(() => this.#run<R>(sql, parameters));
  }

  tx<T>(work: (tx: Querier) => Promise<T>): Promise<T> {
    return this.#inTurn(() =>
      inTransaction(
        {
          query: <R extends object>(sql: string, parameters = [] as readonly unknown[]) =>
            this.#run<R>(sql, parameters),
        },
        work,
      ),
    );
  }

  async setTime(milliseconds: number): Promise<void> {
    await this.query("select set_config('simulated.now', $1, false)", [new Date(milliseconds).toISOString()]);
  }

  /** The changes of state since this was asked last, in order. */
  moves(): Promise<Move[]> {
    return this.query<Move & Row>('with gone as (delete from moves returning *) select * from gone');
  }

  /** A long statement that is asked often: planned once. Its parameters are lists of names without quotes in them. */
  async prepared<R extends object>(sql: string, parameters: readonly (readonly string[])[]): Promise<R[]> {
    let name = this.#prepared.get(sql);
    if (name === undefined) {
      name = `prepared_${this.#prepared.size}`;
      this.#prepared.set(sql, name);
      const types = parameters.map(() => 'text[]').join();
      await this.#inTurn(() =>
        this.#engine.exec(`set plan_cache_mode = force_generic_plan; prepare ${name}(${types}) as ${sql}`),
      );
    }
    const lists = parameters.map((items) => `'{${items.join()}}'`).join();
    const [result] = await this.#inTurn(() => this.#engine.exec(`execute ${name}(${lists})`));
    return (result?.rows ?? []) as R[];
  }

  /** As it was when it was opened. */
  async clear(): Promise<void> {
    await this.#inTurn(async () => {
      const { rows } = await this.#engine.query<{ name: string }>(
        `select tablename as name from pg_tables
          where schemaname = 'simulated' and tablename <> 'schema_migrations'`,
      );
      const deletions = rows.map(({ name }) => `delete from ${name}`).join(';');
      await this.#engine.exec(
        `set session_replication_role = replica; ${deletions}; set session_replication_role = origin`,
      );
    });
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #run<R extends object>(sql: string, parameters: readonly unknown[]): Promise<R[]> {
    return (await this.#statements.run(sql, parameters)) as R[]; // the caller says what its columns are
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
