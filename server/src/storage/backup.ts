import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { AssignmentId, GroupId } from '@starling/protocol';
import { Staging } from '../coordinator/staging.ts';
import { FileBlobs, type BlobStore } from './blobs.ts';
import type { Querier } from './database.ts';
import { migrate } from './migrate.ts';
import { openBlobs, openDatabase, uploadsDirectory, type StoragePlace } from './open.ts';
import { sha256 } from './sigv4.ts';

/**
 * A backup is a directory: the rows of each table as JSON lines, the blobs that projects refer to, the uploads that
 * rounds under way have acknowledged, and a manifest with the digest of each. It says nothing of the engine that it
 * came from, so it moves a server from the embedded database to PostgreSQL, or from files to an object store, too.
 * It holds the server's secret: who reads it can act for every device.
 */
interface Manifest {
  format: 1;
  createdAt: string;
  /** Migrations that had been applied: they are applied again before the rows are read. */
  migrations: string[];
  tables: { name: string; rows: number; sha256: string }[];
  blobs: string[];
  updates: { id: AssignmentId; sha256: string }[];
  sums: { id: GroupId; sha256: string }[];
}

/** A backup could not be written, or what is there is not one that can be read back. */
export class BackupFailed extends Error {
  override readonly name = 'BackupFailed';
  readonly code = 'backup-failed';
}

export interface BackupSummary {
  rows: number;
  blobs: number;
  uploads: number;
}

const rowsAtOnce = 500;

/**
 * Writes a backup of a server into a new directory. The embedded database must not be in use (`DirectoryInUse`);
 * PostgreSQL is read as of one moment while its servers run. Throws {@link BackupFailed} when something is missing.
 */
export async function writeBackup(place: StoragePlace, directory: string): Promise<BackupSummary> {
  await makeEmpty(directory);
  const database = await openDatabase(place);
  try {
    const blobs = await openBlobs(place);
    await mkdir(join(directory, 'tables'), { mode: 0o700 });
    const { names, ...manifest } = await database.tx((tx) => readRows(tx, join(directory, 'tables')));
    await copyBlobs(names, blobs, new FileBlobs(join(directory, 'blobs')));
    await copyUploads(manifest, uploadsDirectory(place), join(directory, 'uploads'));
    const complete: Manifest = { ...manifest, blobs: names };
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(complete, null, 1), { mode: 0o600 });
    return summaryOf(complete);
  } finally {
    await database.close();
  }
}

/**
 * Makes an empty place what the backed-up server was. Everything is checked against its digest before anything is
 * written. Throws {@link BackupFailed} for a damaged backup, and for a place that holds a server already.
 */
export async function restoreBackup(directory: string, place: StoragePlace): Promise<BackupSummary> {
  const manifest = await readManifest(directory);
  for (const { name, sha256: wanted } of manifest.tables) {
    if ((await digestOf(tableFile(directory, name))) !== wanted) throw damaged(`tables/${name}.jsonl`);
  }
  const blobs = new FileBlobs(join(directory, 'blobs'));
  for (const name of manifest.blobs) await checkedBlob(blobs, name);
  const uploads = join(directory, 'uploads');
  const held = await readdir(uploadsDirectory(place)).catch((): string[] => []);
  if (held.length > 0)
    throw new BackupFailed(`${uploadsDirectory(place)} holds uploads already: remove them first.`);

  const database = await openDatabase(place);
  try {
    await migrate(database, new Set(manifest.migrations));
    const [project] = await database.query('select 1 from projects limit 1');
    if (project) throw new BackupFailed('The database holds a server already. Restore into an empty one.');
    await copyBlobs(manifest.blobs, blobs, await openBlobs(place));
    await copyUploads(manifest, uploads, uploadsDirectory(place));
    await database.tx((tx) => writeRows(tx, manifest, directory));
  } finally {
    await database.close();
  }
  return summaryOf(manifest);
}

async function readRows(tx: Querier, directory: string) {
  await tx.query('set transaction isolation level repeatable read, read only');
  const migrations = await tx.query<{ name: string }>('select name from schema_migrations order by name');
  const tables: Manifest['tables'] = [];
  for (const { name } of await tablesOf(tx)) {
    await tx.query(`declare backup_rows cursor for select to_jsonb(t)::text as line from ${name} t`);
    const file = await open(join(directory, `${name}.jsonl`), 'w', 0o600);
    const hash = createHash('sha256');
    let rows = 0;
    try {
      for (;;) {
        const lines = await tx.query<{ line: string }>(`fetch ${rowsAtOnce} from backup_rows`);
        if (lines.length === 0) break;
        const text = lines.map(({ line }) => `${line}\n`).join('');
        hash.update(text);
        rows += lines.length;
        await file.writeFile(text);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await tx.query('close backup_rows');
    tables.push({ name, rows, sha256: hash.digest('hex') });
  }
  const blobs = await tx.query<{ sha256: string }>('select distinct sha256 from blobs order by 1');
  const updates = await tx.query<Manifest['updates'][number]>(
    `select a.id, a.update_digest as sha256 from assignments a join rounds r on r.id = a.round_id
       join groups g on g.id = a.group_id
      where a.state = 'uploaded' and r.ended_at is null and not g.secure order by a.id`,
  );
  const sums = await tx.query<Manifest['sums'][number]>(
    `select g.id, g.digest as sha256 from groups g join rounds r on r.id = g.round_id
      where g.secure and g.state = 'summed' and r.ended_at is null order by g.id`,
  );
  return {
    format: 1 as const,
    createdAt: new Date().toISOString(),
    migrations: migrations.map(({ name }) => name),
    ...{ tables, updates, sums },
    names: blobs.map((blob) => blob.sha256),
  };
}

/** Foreign keys are taken away and put back, which checks them over all rows: tables refer to each other in circles. */
async function writeRows(tx: Querier, manifest: Manifest, directory: string): Promise<void> {
  const tables = await tablesOf(tx);
  const known = tables.map(({ name }) => name);
  if (known.join() !== manifest.tables.map(({ name }) => name).join()) {
    throw new BackupFailed(`The backup has other tables than this server: ${known.join(', ')} are expected.`);
  }
  const keys = await tx.query<{ place: string; name: string; definition: string }>(
    `select conrelid::regclass::text as place, quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
       from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace`,
  );
  for (const { place, name } of keys) await tx.query(`alter table ${place} drop constraint ${name}`);
  for (const { name, columns } of tables) {
    const [seeded] = await tx.query(`select 1 from ${name} limit 1`);
    if (seeded) await tx.query(`delete from ${name}`);
    for await (const lines of chunksOf(tableFile(directory, name))) {
      await tx.query(
        `insert into ${name} (${columns}) overriding system value
         select ${columns} from unnest($1::text[]) as l(line), jsonb_populate_record(null::${name}, l.line::jsonb)`,
        [lines],
      );
    }
  }
  for (const { place, name, definition } of keys)
    await tx.query(`alter table ${place} add constraint ${name} ${definition}`);
  await continueSequences(tx);
}

async function continueSequences(tx: Querier): Promise<void> {
  const columns = await tx.query<{ place: string; name: string; sequence: string }>(
    `select * from (
       select c.oid::regclass::text as place, quote_ident(a.attname) as name,
              pg_get_serial_sequence(c.oid::regclass::text, a.attname) as sequence
         from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
     ) s where sequence is not null`,
  );
  for (const { place, name, sequence } of columns) {
    await tx.query(`select setval($1, (select coalesce(max(${name}), 0) + 1 from ${place}), false)`, [
      sequence,
    ]);
  }
}

/** Tables of the schema but that of migrations, and their columns as a list; names are quoted where they must be. */
function tablesOf(tx: Querier): Promise<{ name: string; columns: string }[]> {
  return tx.query(
    `select c.oid::regclass::text as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname <> 'schema_migrations'
        and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      group by c.oid order by c.oid::regclass::text collate "C"`,
  );
}

async function copyBlobs(names: readonly string[], from: BlobStore, to: BlobStore): Promise<void> {
  for (const name of names) await to.put(await checkedBlob(from, name));
}

async function checkedBlob(blobs: BlobStore, name: string): Promise<Uint8Array> {
  const bytes = await blobs.get(name).catch((error: unknown) => {
    throw new BackupFailed(`Blob ${name} cannot be read.`, { cause: error });
  });
  if (sha256(bytes) !== name) throw damaged(`blob ${name}`);
  return bytes;
}

async function copyUploads(
  { updates, sums }: Pick<Manifest, 'updates' | 'sums'>,
  source: string,
  target: string,
): Promise<void> {
  const from = new Staging(source);
  const to = new Staging(target);
  await to.prepare();
  for (const { id, sha256: wanted } of updates) {
    const bytes = await checkedUpload(id, wanted, () => from.read(id));
    await to.append(id, 0, bytes.length, Readable.from([bytes]));
  }
  for (const { id, sha256: wanted } of sums) {
    await to.keepSum(id, await checkedUpload(id, wanted, () => from.readSum(id)));
  }
}

async function checkedUpload(
  id: string,
  wanted: string,
  read: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const bytes = await read().catch((error: unknown) => {
    throw new BackupFailed(
      `Upload ${id} cannot be read. Where servers run, its round may just have ended: try again.`,
      { cause: error },
    );
  });
  if (sha256(bytes) !== wanted) throw damaged(`upload ${id}`);
  return bytes;
}

async function readManifest(directory: string): Promise<Manifest> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Manifest;
  } catch (error) {
    throw new BackupFailed(`${directory} is no complete backup: it has no manifest that can be read.`, {
      cause: error,
    });
  }
  const names = [...manifest.tables.map(({ name }) => name), ...manifest.updates.map(({ id }) => id)];
  const safe = [...names, ...manifest.sums.map(({ id }) => id)].every((name) => /^[\w-]+$/.test(name));
  if ((manifest.format as number) !== 1 || !safe) {
    throw new BackupFailed(`${directory} is no backup of a format that this server reads.`);
  }
  return manifest;
}

function tableFile(directory: string, name: string): string {
  return join(directory, 'tables', `${name}.jsonl`);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw new BackupFailed(`${path} cannot be read.`, { cause: error });
  }
  return hash.digest('hex');
}

async function* chunksOf(path: string): AsyncGenerator<string[]> {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
}

async function makeEmpty(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readdir(directory)).length > 0) {
    throw new BackupFailed(`${directory} is not empty: a backup is written into a new directory.`);
  }
}

function summaryOf({ tables, blobs, updates, sums }: Manifest): BackupSummary {
  return {
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    blobs: blobs.length,
    uploads: updates.length + sums.length,
  };
}

function damaged(what: string): BackupFailed {
  return new BackupFailed(`The backup is damaged: ${what} has another digest than it should.`);
}
