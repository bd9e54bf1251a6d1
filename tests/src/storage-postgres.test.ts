import { afterAll, describe } from 'vitest';
import { TestPostgres } from './testing/postgres.ts';
import { useDatabasesOf } from './testing/servers.ts';

/** The server's own tests, once more, on PostgreSQL. */
const postgres = await TestPostgres.start();

if (typeof postgres === 'string') {
  describe.skip(`the server's tests on PostgreSQL: ${postgres}`);
} else {
  useDatabasesOf(postgres);
  afterAll(() => postgres.remove());
  await import('./api.test.ts');
  await import('./refusals.test.ts');
  await import('./secure-api.test.ts');
}
