import type { Command } from 'commander';
import { addStorageOptions, type StorageOptions } from './storage-options.ts';

/** `starling keys recover`: a new key of role `server` for who holds the database and lost every key. */
export function addRecovery(keys: Command): void {
  addStorageOptions(
    keys
      .command('recover')
      .description('Make a new key of role server, without one: for who holds the data of a stopped server'),
  ).action(async (options: StorageOptions) => {
    const { recoverServerKey } = await import('@starling/server');
    const { storagePlace } = await import('./storage-place.ts');
    const { id, projectId, secret } = await recoverServerKey(storagePlace(options));
    console.log(`API key ${id} of project ${projectId}, shown this once: ${secret}`);
  });
}
