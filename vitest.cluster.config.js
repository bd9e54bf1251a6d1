import { defineConfig } from 'vitest/config';
import { common } from './vitest.config.js';

/** What `npm run test:cluster` runs against a real Ray, torch and MindSpore: one file at a time, each with a head of its own. */
export default defineConfig({
  test: {
    ...common,
    include: ['*/dist/**/*.cluster-test.js'],
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 180_000,
  },
});
