export * from './fleet-model.ts';
export * from './plan.ts';
export * from './resources.ts';
