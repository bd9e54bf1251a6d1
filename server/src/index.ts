export { startServer, version, type ServerOptions, type StarlingServer } from './server.ts';
export { NothingToRecover, recoverServerKey, type RecoveredKey } from './access/recovery.ts';
export type { OidcOptions } from './access/oidc.ts';
export { failpoints, type Failpoint } from './coordinator/context.ts';
export type { Forecaster, ForecastOrder } from './forecast/forecaster.ts';
export { DirectoryInUse } from './storage/directory-lock.ts';
export { UnknownSchema } from './storage/migrate.ts';
export { BackendUnavailable, type JobOrder, type TrainingBackend } from './training/backend.ts';
export type { CloudOptions } from './training/cloud.ts';
export {
  prepareJob,
  readResult,
  type JobResult,
  type JobWork,
  type Trained,
} from './training/job-directory.ts';
export { LocalBackend, type LocalBackendOptions } from './training/local.ts';
export { examineCluster, type ClusterReport, type DoctorOptions } from './training/ray/doctor.ts';
export { RayBackend, type RayBackendOptions } from './training/ray/ray-backend.ts';
export { UnmaskingFailed, type Unmasking } from './unmasking/unmasking.ts';
export { unmaskingThreads, type UnmaskingThreadsOptions } from './unmasking/unmasking-threads.ts';
