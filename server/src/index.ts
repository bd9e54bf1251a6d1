export { startServer, version, type ServerOptions, type StarlingServer } from './server.ts';
export { SecureTaskRuns } from './coordinator/tasks.ts';
export { failpoints, type Failpoint } from './coordinator/context.ts';
export { DirectoryInUse } from './storage/directory-lock.ts';
export { UnknownSchema } from './storage/migrate.ts';
