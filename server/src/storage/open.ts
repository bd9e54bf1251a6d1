import { join } from 'node:path';
import { FileBlobs, type RemovableBlobs } from './blobs.ts';
import type { Database } from './database.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import { S3Blobs, s3Credentials, s3Place } from './s3-blobs.ts';

/** Where a server keeps what is durable; what is not named lies in files under the data directory. */
export interface StoragePlace {
  /** The database and the blobs, unless they are elsewhere, and uploads on their way in. */
  dataDirectory: string;
  /** `postgres://user:password@host:port/database`, instead of the embedded database. */
  databaseUrl?: string;
  /** `s3://bucket/prefix?region=…&endpoint=…`, instead of files; credentials come from AWS_ACCESS_KEY_ID and its like. */
  blobsUrl?: string;
}

/** Throws `DirectoryInUse` when another process has the embedded database, else as {@link openPostgres} does. */
export function openDatabase(place: StoragePlace): Promise<Database> {
  return place.databaseUrl === undefined
    ? openPglite(databaseDirectory(place))
    : openPostgres(place.databaseUrl);
}

/** Where the embedded database lies. */
export function databaseDirectory({ dataDirectory }: StoragePlace): string {
  return join(dataDirectory, 'database');
}

/** Opens the blob store. Of an object store, shows first that it can be written and read: throws `BlobStoreFailed`. */
export async function openBlobs({ dataDirectory, blobsUrl }: StoragePlace): Promise<RemovableBlobs> {
  if (blobsUrl === undefined) return new FileBlobs(join(dataDirectory, 'blobs'));
  const blobs = new S3Blobs(s3Place(blobsUrl), s3Credentials(process.env));
  await blobs.check();
  return blobs;
}

/** Where jobs of training in the cloud have their directories. */
export function jobsDirectory({ dataDirectory }: StoragePlace): string {
  return join(dataDirectory, 'jobs');
}

export function uploadsDirectory({ dataDirectory }: StoragePlace): string {
  return join(dataDirectory, 'uploads');
}
