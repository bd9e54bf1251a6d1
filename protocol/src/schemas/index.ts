export * from './jobs.ts';
export * from './plan.ts';
export * from './resources.ts';
