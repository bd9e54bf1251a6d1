import { afterAll, describe } from 'vitest';
import { killMatrix } from './testing/kills/matrix.ts';
import { onTwoNodes } from './testing/kills/worlds.ts';
import { TestPostgres } from './testing/postgres.ts';

const postgres = await TestPostgres.start();
afterAll(async () => {
  if (typeof postgres !== 'string') await postgres.remove();
});

describe.skipIf(typeof postgres === 'string')(
  typeof postgres === 'string' ? postgres : 'one of two nodes on PostgreSQL that is killed with SIGKILL',
  { timeout: 180_000 },
  () => {
    killMatrix(
      () => (typeof postgres === 'string' ? Promise.reject(new Error(postgres)) : onTwoNodes(postgres)),
      1,
    );
  },
);
