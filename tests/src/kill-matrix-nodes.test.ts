import { describe } from 'vitest';
import { killMatrix } from './testing/kills/matrix.ts';
import { onTwoNodes } from './testing/kills/worlds.ts';
import { postgresFile } from './testing/postgres-file.ts';

const postgres = await postgresFile();

describe.skipIf(postgres.missing !== undefined)(
  postgres.missing ?? 'one of two nodes on PostgreSQL that is killed with SIGKILL',
  { timeout: 180_000 },
  () => {
    killMatrix(() => onTwoNodes(postgres.server()), 1);
  },
);
