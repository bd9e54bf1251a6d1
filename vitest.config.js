import { defineConfig } from 'vitest/config';

/**
 * Tests run from dist: what is tested is what ships, and worker files are real files. The console ships bundled: its
 * units are tested from their sources.
 */
export default defineConfig({
  test: {
    include: ['*/dist/**/*.test.js', 'web-console/src/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\/(?!.*\.test\.js)/] } },
  },
});
