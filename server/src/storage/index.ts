export { BackupFailed, restoreBackup, writeBackup, type BackupSummary } from './backup.ts';
export { BlobMissing, FileBlobs, type BlobStore, type RemovableBlobs } from './blobs.ts';
export {
  DatabaseError,
  DatabaseUnavailable,
  UnsupportedDatabase,
  type Database,
  type Querier,
} from './database.ts';
export { KeptBlobs } from './kept-blobs.ts';
export { migrate, UnknownSchema } from './migrate.ts';
export { openPglite } from './pglite.ts';
export { openBlobs, openDatabase, type StoragePlace } from './open.ts';
export { describeDatabase, openPostgres, type PostgresOptions } from './postgres.ts';
export { BlobStoreFailed, S3Blobs, s3Credentials, s3Place } from './s3-blobs.ts';
