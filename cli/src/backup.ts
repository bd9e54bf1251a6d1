import { resolve } from 'node:path';
import { restoreBackup, writeBackup } from '@starling/server/storage';
import type { StorageOptions } from './storage-options.ts';
import { describePlace, storagePlace } from './storage-place.ts';

/** Writes a backup of what the options name into a new directory. */
export async function backup(options: StorageOptions & { out: string }): Promise<void> {
  const place = storagePlace(options);
  const { rows, blobs, uploads } = await writeBackup(place, resolve(options.out));
  console.log(
    `Backed up ${describePlace(place)}: ${rows} rows, ${blobs} blobs, ${uploads} uploads under way.`,
  );
  console.log(`${resolve(options.out)} holds the server's secret: keep it as safe as the server.`);
}

/** Fills an empty place from a backup. */
export async function restore(options: StorageOptions & { from: string }): Promise<void> {
  const place = storagePlace(options);
  const { rows, blobs, uploads } = await restoreBackup(resolve(options.from), place);
  console.log(
    `Restored ${describePlace(place)}: ${rows} rows, ${blobs} blobs, ${uploads} uploads under way.`,
  );
}
