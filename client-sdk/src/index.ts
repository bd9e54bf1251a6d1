export {
  createDevice,
  type Device,
  type DeviceEvents,
  type DeviceOptions,
  type DeviceStatus,
} from './core/device.ts';
export type { Capabilities } from './core/capabilities.ts';
export { DeviceError, WorkError, type DeviceProblem } from './core/errors.ts';
export type { SecureOptions } from './core/membership.ts';
export { sdkVersion } from './core/identity.ts';
export type { PersonalModel } from './core/personal-model.ts';
export type { ModelPrediction } from './core/predictions.ts';
export { openModel, type SharedModel } from './core/shared-model.ts';
export type {
  Channel,
  ChannelEvents,
  ChannelFactory,
  Clock,
  Conditions,
  FetchedModel,
  Host,
  Http,
  HttpAnswer,
  HttpRequest,
  Random,
  Storage,
  Trainer,
  TrainerJob,
  TrainerResult,
} from './core/ports.ts';
export { ProblemError } from '@starling/protocol';
export { splitSupport, type Examples } from '@starling/model';
