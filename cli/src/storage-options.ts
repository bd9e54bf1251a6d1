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
