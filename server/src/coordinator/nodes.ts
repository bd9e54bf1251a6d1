import { randomUUID } from 'node:crypto';
import type { Database } from '../storage/database.ts';
import type { Repeat } from './repeat.ts';

const beatMs = 1_000;

/** A node that was not seen for this long is dead. One that only slept finds its work taken, which harms nothing. */
const deadAfter = "interval '4 seconds'";

/** The servers that share a database: each says every second that it lives. */
export class Nodes {
  /** This node; another after each start. */
  readonly id = randomUUID();
  /** No other node can be alive: the database is this process's own. */
  isAlone = false;
  readonly #database: Database;
  readonly #repeat: Repeat;
  #stop: (() => Promise<void>) | undefined;

  constructor(database: Database, repeat: Repeat) {
    this.#database = database;
    this.#repeat = repeat;
  }

  /** Joins. `alone` says that no other node can be alive: the database is this process's own. */
  async join(alone: boolean, onError: (error: unknown) => void): Promise<void> {
    this.isAlone = alone;
    if (alone) await this.#database.query('delete from nodes');
    await this.#beat();
    this.#stop = this.#repeat(() => this.#beat().catch(onError), beatMs);
  }

  async leave(): Promise<void> {
    await this.#stop?.();
    await this.#database.query('delete from nodes where id = $1', [this.id]);
  }

  async #beat(): Promise<void> {
    await this.#database.query(
      `with gone as (delete from nodes where seen_at < now() - interval '1 hour')
       insert into nodes (id) values ($1) on conflict (id) do update set seen_at = now()`,
      [this.id],
    );
  }
}

/** A condition that the node of this row of `nodes` lives. */
export function isAlive(row: string): string {
  return `${row}.seen_at > now() - ${deadAfter}`;
}

/** A condition that the node named by this column is dead or was never named. */
export function isDead(column: string): string {
  return `not exists (select 1 from nodes n where n.id = ${column} and ${isAlive('n')})`;
}
