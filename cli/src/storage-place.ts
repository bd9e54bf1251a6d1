import { resolve } from 'node:path';
import { describeDatabase, type StoragePlace } from '@starling/server/storage';
import type { StorageOptions } from './storage-options.ts';

/** The place that the options, or else the environment, name. Throws `TypeError` for a URL that is none. */
export function storagePlace(options: StorageOptions): StoragePlace {
  const databaseUrl = named(options.database) ?? named(process.env['STARLING_DATABASE_URL']);
  const blobsUrl = named(options.blobs) ?? named(process.env['STARLING_BLOBS_URL']);
  if (databaseUrl !== undefined) describeDatabase(databaseUrl);
  return {
    dataDirectory: resolve(options.dataDir),
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(blobsUrl !== undefined && { blobsUrl }),
  };
}

/** A place in words that hold no secret. */
export function describePlace({ dataDirectory, databaseUrl, blobsUrl }: StoragePlace): string {
  return [
    dataDirectory,
    ...(databaseUrl === undefined ? [] : [`PostgreSQL ${describeDatabase(databaseUrl)}`]),
    ...(blobsUrl === undefined ? [] : [`blobs in ${blobsUrl}`]),
  ].join(', ');
}

function named(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
