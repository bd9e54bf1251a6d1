export * from './access.ts';
export * from './client.ts';
export { PageQuery } from './common.ts';
export type { ErasedDevice } from './devices.ts';
export * from './endpoint.ts';
export * from './endpoints.ts';
export * from './events.ts';
export * from './forecasts.ts';
export * from './jobs.ts';
export * from './models.ts';
export * from './overview.ts';
export * from './rounds.ts';
export * from './server-sent-events.ts';
export * from './session.ts';
export * from './tasks.ts';
export {
  csrfHeader,
  isAtLeast,
  personRoles,
  projectHeader,
  roles,
  type PersonRole,
  type Role,
} from '../access.ts';
