import { describe } from 'vitest';
import { killMatrix } from './testing/kills/matrix.ts';
import { onPglite } from './testing/kills/worlds.ts';

describe('a server on PGlite that is killed with SIGKILL and started again', { timeout: 180_000 }, () => {
  killMatrix(onPglite, 0);
});
