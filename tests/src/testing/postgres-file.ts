import { afterAll, afterEach } from 'vitest';
import { TestPostgres } from './postgres.ts';
import { temporaryDirectory } from './servers.ts';

/** What the tests of one file have in common: a PostgreSQL server, where this machine has one. */
export interface PostgresFile {
  /** Why there is none. */
  readonly missing: string | undefined;
  /** Done after each test, the last first. */
  readonly cleanups: (() => Promise<unknown>)[];
  /** Throws where there is none. */
  server(): TestPostgres;
  /** An empty directory and an empty database. */
  place(): Promise<{ dataDirectory: string; databaseUrl: string }>;
  /** An empty directory, which is removed after the test. */
  directory(): Promise<string>;
}

/** To be called once, at the head of a test file. */
export async function postgresFile(): Promise<PostgresFile> {
  const postgres = await TestPostgres.start();
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(async () => {
    if (typeof postgres !== 'string') await postgres.remove();
  });
  const server = () => {
    if (typeof postgres === 'string') throw new Error(postgres);
    return postgres;
  };
  const directory = async () => {
    const { path, remove } = await temporaryDirectory();
    cleanups.push(remove);
    return path;
  };
  return {
    missing: typeof postgres === 'string' ? postgres : undefined,
    cleanups,
    server,
    directory,
    place: async () => ({ dataDirectory: await directory(), databaseUrl: await server().database() }),
  };
}
