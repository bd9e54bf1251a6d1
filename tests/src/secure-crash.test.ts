import type { ModelVersion, Plan, RoundDetail, Round, Task } from '@starling/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownFleet } from './testing/known-device.ts';
import { Admin, eventually } from './testing/project.ts';
import { databaseTemplate, ServerProcess } from './testing/servers.ts';

/** The server ends with SIGKILL around the moment in which a group's sum becomes a part of its round. */
const plan: Partial<Plan> = {
  cohort: { goal: 3, minimum: 3, overSelection: 1 },
  secure: { groupSize: { target: 3, minimum: 3 }, ring: 32 },
};

describe('a server killed with SIGKILL in a secure round', { timeout: 120_000 }, () => {
  let template: Awaited<ReturnType<typeof databaseTemplate>>;
  let unhurt: string;
  beforeAll(async () => {
    template = await databaseTemplate();
    unhurt = (await publishedBy(undefined)).digest;
  }, 120_000);
  afterAll(() => template.remove());

  it.each([
    ['group-formed', ['abandoned', 'published']],
    ['group-sum-kept', ['abandoned', 'published']],
    ['group-summed', ['published']],
    ['round-closed', ['published']],
    ['version-stored', ['published']],
  ])('at %s leaves the rounds %j, and the published sum is the same', async (point, states) => {
    const { rounds, digest } = await publishedBy(point);
    expect(rounds.map(({ state }) => state)).toEqual(states);
    expect(digest).toBe(unhurt);
  });

  async function publishedBy(point: string | undefined): Promise<{ rounds: RoundDetail[]; digest: string }> {
    const server = await ServerProcess.onCopyOf(template.path);
    await server.start(point);
    const admin = new Admin(server.url, template.key);
    const fleet = await knownFleet(server.url, await admin.enrolmentToken(), 3);
    try {
      for (const { device } of fleet.devices) await device.start();
      const task = await admin.tinyTask(plan);
      const restarted =
        point === undefined
          ? undefined
          : server.ended().then(async (how) => {
              expect(how).toBe('SIGKILL');
              await server.start();
            });
      await admin.post(`/v1/tasks/${task.id}/start`);
      await restarted;
      const found = await eventually(
        'the task to complete',
        async () => {
          const { state } = await admin.get<Task>(`/v1/tasks/${task.id}`);
          return state === 'completed' || undefined;
        },
        60_000,
      );
      expect(found).toBe(true);
      const { items: rounds } = await admin.get<{ items: Round[] }>(`/v1/tasks/${task.id}/rounds`);
      const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
      expect(items).toHaveLength(2);
      return {
        rounds: await Promise.all(
          rounds.reverse().map(({ id }) => admin.get<RoundDetail>(`/v1/rounds/${id}`)),
        ),
        digest: items[0]!.digest,
      };
    } finally {
      await fleet.close();
      await server.kill();
      await server.remove();
    }
  }
});
