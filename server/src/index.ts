export { startServer, version, type ServerOptions, type StarlingServer } from './server.ts';
export { failpoints, type Failpoint } from './coordinator/context.ts';
export { DirectoryInUse } from './storage/directory-lock.ts';
export { UnknownSchema } from './storage/migrate.ts';
export type { CloudOptions } from './training/cloud.ts';
export { LocalBackend, type LocalBackendOptions } from './training/local.ts';
export { RayBackend, type RayBackendOptions } from './training/ray/ray-backend.ts';
export { UnmaskingFailed, type Unmasking } from './unmasking/unmasking.ts';
export { unmaskingThreads, type UnmaskingThreadsOptions } from './unmasking/unmasking-threads.ts';
