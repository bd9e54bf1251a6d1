import { resolve } from 'node:path';
import { describeDatabase, type StoragePlace } from '@starling/server/storage';
import type { Command } from 'commander';

/** Options that say where a server keeps what is durable. */
export interface StorageOptions {
  dataDir: string;
  database?: string;
  blobs?: string;
}

export function addStorageOptions(command: Command): Command {
  return command
    .option(
      '--data-dir <dir>',
      'where everything durable lives, but for what the next two take elsewhere',
      process.env['STARLING_DATA_DIR'] ?? '.starling/server',
    )
    .option(
      '--database <url>',
      'PostgreSQL 15 or later: postgres://user@host/database (or STARLING_DATABASE_URL, which keeps a password out of the list of processes)',
    )
    .option(
      '--blobs <url>',
      'object store: s3://bucket/prefix?region=…&endpoint=… (or STARLING_BLOBS_URL), with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
}

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
