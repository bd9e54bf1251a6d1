export type { GpuDevice } from './device.ts';
export { GpuUnsuitable } from './errors.ts';
export { createGpuTrainer, gpuSupports, type GpuTrainer, type GpuTrainerOptions } from './trainer.ts';
