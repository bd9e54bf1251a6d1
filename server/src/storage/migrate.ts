import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Database } from './database.ts';

/** The database was written by another version of the server. */
export class UnknownSchema extends Error {
  override readonly name = 'UnknownSchema';
  readonly code = 'unknown-schema';
}

const directory = new URL('./migrations/', import.meta.url);

/**
 * Brings the schema up to date. Migrations are numbered and immutable: one that was applied with other text, or
 * one that this server does not know, makes it refuse to start.
 */
export async function migrate(database: Database): Promise<void> {
  await database.query(
    `create table if not exists schema_migrations (
       name text primary key, sha256 text not null, applied_at timestamptz not null default now())`,
  );
  const files = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const applied = new Map(
    (
      await database.query<{ name: string; sha256: string }>('select name, sha256 from schema_migrations')
    ).map(({ name, sha256 }) => [name, sha256]),
  );
  const unknown = [...applied.keys()].filter((name) => !files.includes(name));
  if (unknown.length > 0) {
    throw new UnknownSchema(
      `The database has migrations that this server does not know (${unknown.join(', ')}): it was written by a newer version. Start that version.`,
    );
  }
  for (const name of files) {
    const sql = await readFile(new URL(name, directory), 'utf8');
    const sha256 = createHash('sha256').update(sql).digest('hex');
    const before = applied.get(name);
    if (before === sha256) continue;
    if (before !== undefined) {
      throw new UnknownSchema(`Migration ${name} was applied with other text: migrations are immutable.`);
    }
    await database.tx(async (tx) => {
      for (const statement of statements(sql)) await tx.query(statement);
      await tx.query('insert into schema_migrations (name, sha256) values ($1, $2)', [name, sha256]);
    });
  }
}

/** Splits a migration at semicolons that end a line: the files hold plain DDL, no function bodies. */
function statements(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, '').trim() !== '');
}
