import type { Plan } from '@starling/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mortalFleet } from './testing/mortal-fleet.ts';
import { countsBetween, versionsOf } from './testing/one-hot.ts';
import type { Admin } from './testing/project.ts';
import { testServer, type TestServer } from './testing/servers.ts';
import { completed, devicesIn, runTask } from './testing/tasks.ts';

/**
 * A fifth of the devices is killed with SIGKILL in every round, at moments drawn from a seed. Each update is one-hot, so a
 * version tells whose updates its sum held, and how often.
 */
const deviceCount = 10;
const rounds = 3;
const windows = { selectingMs: 3_000, trainingMs: 15_000, aggregatingMs: 20_000 };

describe('ten devices of which two are killed in every round', { timeout: 300_000 }, () => {
  let world: TestServer;
  let admin: Admin;
  beforeAll(async () => {
    world = await testServer();
    admin = world.admin;
  });
  afterAll(() => world.close());

  it.each([
    ['under masks', 1],
    ['under masks', 2],
    ['in the clear', 3],
  ])('give exact sums of those counted, %s (seed %i)', async (how, seed) => {
    const secure = how === 'under masks';
    const fleet = await mortalFleet({
      server: world.server.url,
      enrolmentToken: await admin.enrolmentToken({ seed: String(seed) }),
      devices: deviceCount,
      victims: deviceCount / 5,
      secure,
      seed,
      longestAwayMs: 3_000,
    });
    try {
      const plan: Partial<Plan> = {
        rounds,
        windows,
        cohort: { goal: deviceCount, minimum: 5, overSelection: 1, select: { seed: String(seed) } },
        ...(secure && { secure: { groupSize: { target: deviceCount, minimum: 5 }, ring: 32 } }),
      };
      const task = await runTask(admin, plan);
      const published = (await completed(admin, task, 240_000)).filter(({ state }) => state === 'published');
      expect(published).toHaveLength(rounds);
      const versions = await versionsOf(admin, task);
      expect(versions).toHaveLength(rounds + 1);
      for (const [index, round] of published.entries()) {
        const devices = devicesIn(round)!;
        const counts = countsBetween(versions[index]!, versions[index + 1]!, devices);
        expect(counts.every((count) => count === 0 || count === 1)).toBe(true);
        expect(counts.slice(0, deviceCount).filter((count) => count === 1)).toHaveLength(devices);
        expect(round.funnel.states['counted']).toBe(devices);
      }
      expect(fleet.kills.length).toBeGreaterThan(0);
      for (const [where, texts] of fleet.said) expect(texts.size, where).toBe(1);
    } finally {
      await fleet.close();
    }
  });
});
