import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate, openDatabase } from '@starling/server/storage';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const migrations = new URL('./migrations/', import.meta.resolve('@starling/server/storage'));

let made: Promise<string> | undefined;

/**
 * Gives a data directory the embedded database that a server would create in it. To create one takes seconds of more than
 * one processor core, so it is done once for a schema and a version of PGlite, kept under `.starling`, and copied.
 */
export async function copyEmptyDatabase(dataDirectory: string): Promise<void> {
  made ??= template();
  await cp(await made, dataDirectory, { recursive: true });
}

async function template(): Promise<string> {
  const kept = join(root, '.starling', 'tests');
  const place = join(kept, `empty-database-${await digestOfWhatMakesIt()}`);
  if (await stat(place).catch(() => undefined)) return place;
  await mkdir(kept, { recursive: true });
  const making = await mkdtemp(join(kept, 'making-'));
  const database = await openDatabase({ dataDirectory: making });
  await migrate(database);
  await database.close();
  await rename(making, place).catch(async (error: unknown) => {
    await rm(making, { recursive: true, force: true });
    if (!(await stat(place).catch(() => undefined))) throw error; // else another test file was first
  });
  return place;
}

async function digestOfWhatMakesIt(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(root, 'package-lock.json')));
  for (const name of (await readdir(migrations)).sort()) {
    hash.update(name).update(await readFile(new URL(name, migrations)));
  }
  return hash.digest('hex').slice(0, 16);
}
