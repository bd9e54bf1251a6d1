import type { Querier } from './database.ts';

/** As PostgreSQL's own autovacuum decides (its manual, section 25.1.6): a fifth of a table dead, a tenth of it other than it was. */
const untidy = `n_dead_tup > 50 + 0.2 * greatest(reltuples, 0) or n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)`;

/**
 * Does for the embedded database what a server of PostgreSQL has processes for: takes back the room of dead rows and
 * gathers the statistics that plans are made from. Gives the tables that needed it.
 */
export async function tidyTables(database: Querier): Promise<string[]> {
  const tables = await database.query<{ name: string }>(
    `select quote_ident(s.relname) as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
      where ${untidy} order by 1`,
  );
  for (const { name } of tables) await database.query(`vacuum (analyze) ${name}`);
  return tables.map(({ name }) => name);
}
