export { BlobMissing, FileBlobs, type BlobStore } from './blobs.ts';
export {
  DatabaseError,
  DatabaseUnavailable,
  UnsupportedDatabase,
  type Database,
  type Querier,
} from './database.ts';
export { migrate, UnknownSchema } from './migrate.ts';
export { openPglite } from './pglite.ts';
export { describeDatabase, openPostgres, type PostgresOptions } from './postgres.ts';
