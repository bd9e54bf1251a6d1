import { expect, it } from 'vitest';
import { rollbackTarget } from './rollback.ts';

const releases = (...oldestFirst: string[]) =>
  oldestFirst
    .map((version) => ({
      kind: version === 'back' ? ('rollback' as const) : ('promotion' as const),
      version,
    }))
    .reverse();

it('knows what a rollback would serve', () => {
  expect(rollbackTarget(releases())).toBeUndefined();
  expect(rollbackTarget(releases('a'))).toBeUndefined();
  expect(rollbackTarget(releases('a', 'b'))?.version).toBe('a');
  expect(rollbackTarget(releases('a', 'b', 'back'))).toBeUndefined();
  expect(rollbackTarget(releases('a', 'b', 'c', 'back'))?.version).toBe('a');
  expect(rollbackTarget(releases('a', 'b', 'back', 'c'))?.version).toBe('a');
});
