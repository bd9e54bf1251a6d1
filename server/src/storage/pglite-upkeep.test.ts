import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from './database.ts';
import { tidyTables } from './pglite-upkeep.ts';
import { openPglite } from './pglite.ts';

let directory: string;
let database: Database;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'starling-upkeep-'));
  database = await openPglite(directory);
});

afterAll(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

it('takes back the room of rows that are dead, and leaves a tidy table alone', async () => {
  await database.query('create table busy (n int)');
  await database.query('create table idle (n int)');
  await database.query('insert into busy select generate_series(1, 5000)');
  await tidied('busy');
  const sizeOf = async () => {
    const [row] = await database.query<{ bytes: number }>("select pg_relation_size('busy') as bytes");
    return row!.bytes;
  };
  const before = await sizeOf();
  for (let time = 0; time < 4; time++) {
    await database.query('update busy set n = n + 1');
    await tidied('busy');
  }
  expect(await sizeOf()).toBeLessThan(3 * before);
});

/** The database counts what changed a second after it did. */
async function tidied(table: string): Promise<void> {
  await expect.poll(() => tidyTables(database), { timeout: 20_000 }).toEqual([table]);
}
