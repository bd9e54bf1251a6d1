import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryInUse, lockDirectory } from './directory-lock.ts';

describe('the lock of a data directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'starling-lock-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is taken once, and again after its release', async () => {
    const unlock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toBeInstanceOf(DirectoryInUse);
    await expect(lockDirectory(join(directory, '.'))).rejects.toThrow(/Stop it first/);
    await unlock();
    const again = await lockDirectory(directory);
    await again();
  });

  it('is won by one of many that start at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]!.value();
  });
});
