import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Database } from './database.ts';

/** The database was written by another version of the server. */
export class UnknownSchema extends Error {
  override readonly name = 'UnknownSchema';
  readonly code = 'unknown-schema';
}

const directory = new URL('./migrations/', import.meta.url);

/** Held while the schema is brought up to date: nodes that start together take turns. */
const lock = 7_827_311;

/**
 * Brings the schema up to date, in one transaction. Migrations are numbered and immutable: one that was applied with
 * other text, or one that this server does not know, makes it refuse to start. `only` names those that may be applied
 * (all, unless a backup of an earlier version is read back).
 */
export async function migrate(database: Database, only?: ReadonlySet<string>): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, directory), 'utf8')));
  await database.tx(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [lock]);
    await tx.query(
      `create table if not exists schema_migrations (
         name text primary key, sha256 text not null, applied_at timestamptz not null default now())`,
    );
    const rows = await tx.query<{ name: string; sha256: string }>(
      'select name, sha256 from schema_migrations',
    );
    const applied = new Map(rows.map(({ name, sha256 }) => [name, sha256]));
    refuseUnknown([...applied.keys()], files);
    for (const [index, name] of files.entries()) {
      const sql = texts[index] ?? '';
      const sha256 = createHash('sha256').update(sql).digest('hex');
      const before = applied.get(name);
      if (before === sha256 || (only && !only.has(name))) continue;
      if (before !== undefined) {
        throw new UnknownSchema(`Migration ${name} was applied with other text: migrations are immutable.`);
      }
      for (const statement of statements(sql)) await tx.query(statement);
      await tx.query('insert into schema_migrations (name, sha256) values ($1, $2)', [name, sha256]);
    }
  });
}

function refuseUnknown(applied: readonly string[], known: readonly string[]): void {
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UnknownSchema(
      `The database has migrations that this server does not know (${unknown.join(', ')}): it was written by a newer version. Start that version.`,
    );
  }
}

/** Splits a migration at semicolons that end a line: the files hold plain DDL, no function bodies. */
function statements(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, '').trim() !== '');
}
