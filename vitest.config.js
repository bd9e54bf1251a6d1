import { BaseSequencer } from 'vitest/node';
import { defineConfig } from 'vitest/config';

/** What takes longest, from the longest on: begun first, so that both workers end together. */
const longest = [
  'tests/dist/kill-matrix-nodes',
  'tests/dist/kill-matrix-pglite',
  'server/dist/coordinator/simulation',
  'tests/dist/console-',
  'tests/dist/secure',
  'tests/dist/lost-replies',
  'tests/dist/hostile',
  'tests/dist/observability',
  'tests/dist/cloud',
  'tests/dist/',
  'server/dist/coordinator/',
  'server/',
];

/** Rooms whose tests start nothing: their files share the workers' processes. */
const rooms = ['protocol', 'model', 'secure', 'aggregation', 'client-sdk'];
const ofRooms = [...rooms.map((room) => `${room}/dist/**/*.test.js`), 'web-console/src/**/*.test.ts'];
/** They count what is allocated: each in a process of its own. */
const counting = ['model/dist/plan/plan.test.js', 'model/dist/program/trainer.test.js'];

class LongestFirst extends BaseSequencer {
  async sort(files) {
    const rank = ({ moduleId }) => {
      const found = longest.findIndex((name) => moduleId.includes(`/${name}`));
      return found < 0 ? longest.length : found;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

/**
 * Tests run from dist: what is tested is what ships, and worker files are real files. The console ships bundled: its
 * units are tested from their sources.
 */
export const common = {
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: 30_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 10_000 } }, // on a busy machine a page takes its time
  exclude: ['**/node_modules/**'],
  server: { deps: { external: [/\/dist\/(?!.*\.test\.js)/] } },
};

export default defineConfig({
  test: {
    ...common,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['*/dist/**/*.test.js'],
          exclude: [...common.exclude, ...ofRooms],
        },
      },
      { extends: true, test: { name: 'counting', include: counting } },
      {
        extends: true,
        test: { name: 'rooms', include: ofRooms, exclude: [...common.exclude, ...counting], isolate: false },
      },
    ],
  },
});
