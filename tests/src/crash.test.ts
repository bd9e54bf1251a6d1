import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelVersion, RoundDetail, Task } from '@starling/protocol';
import { countsBetween, oneHot, versionsOf } from './testing/one-hot.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice, sha256 } from './testing/raw-device.ts';
import { databaseTemplate, ServerProcess } from './testing/servers.ts';

/**
 * The server ends with SIGKILL at each named point of a round and is started again on the same data. Every device
 * contributes a one-hot update of weight 1, so the published version tells who was counted and how often.
 */
const deviceCount = 3;
const killPoints = [
  'round-opened',
  'devices-offered',
  'assignment-accepted:2',
  'assignment-accepted:3',
  'assignment-ready:2',
  'assignment-ready:3',
  'group-formed:2',
  'upload-part-staged:1',
  'upload-part-staged:4',
  'upload-verified:2',
  'upload-recorded:1',
  'upload-recorded:3',
  'round-closed',
  'version-stored',
  'round-published',
];

describe('a server killed with SIGKILL', () => {
  let template: Awaited<ReturnType<typeof databaseTemplate>>;
  beforeAll(async () => {
    template = await databaseTemplate();
  });
  afterAll(() => template.remove());

  it.each(killPoints)(
    'at %s resumes the round: nothing acknowledged is lost or counted twice',
    { timeout: 120_000 },
    async (point) => {
      const server = await ServerProcess.onCopyOf(template.path);
      try {
        await server.start(point);
        const admin = new Admin(server.url, template.key);
        const token = await admin.enrolmentToken();
        const devices = await Promise.all(
          Array.from({ length: deviceCount }, (_, index) =>
            RawDevice.enrolled(server.url, token, new Uint8Array(32).fill(index + 1)),
          ),
        );
        // Present before the round opens: what a device asks for, it gets from there on.
        for (const device of devices) await device.assignment();
        const task = await admin.tinyTask({ rounds: 1 });
        const restarted = server.ended().then(async (how) => {
          expect(how).toBe('SIGKILL');
          await server.start();
        });
        await tolerant(() => admin.post(`/v1/tasks/${task.id}/start`));
        const acknowledged = new Set<number>();
        const finished = await runDevices(admin, task, devices, acknowledged);
        await restarted;

        expect(finished.state).toBe('completed');
        const { items: rounds } = await admin.get<{ items: RoundDetail[] }>(`/v1/tasks/${task.id}/rounds`);
        expect(rounds.map((round) => round.state)).toEqual(['published']);
        const weights = await versionsOf(admin, task);
        const counts = countsBetween(weights[0]!, weights.at(-1)!, deviceCount);
        expect(counts.slice(0, deviceCount)).toEqual(Array(deviceCount).fill(1));
        expect(counts.slice(deviceCount).every((count) => count === 0)).toBe(true);
        // Replies may be lost with the process, as many as were on their way; what was acknowledged has to be counted.
        for (const index of acknowledged) expect(counts[index]).toBe(1);
        const { items: versions } = await admin.get<{ items: ModelVersion[] }>(
          `/v1/tasks/${task.id}/versions`,
        );
        expect(versions.map((version) => version.number)).toEqual([1, 0]);
      } finally {
        await server.kill();
        await server.remove();
      }
    },
  );
});

/** Lets every device go on where the server says it stands, until the task has ended. */
async function runDevices(
  admin: Admin,
  task: Task,
  devices: readonly RawDevice[],
  acknowledged: Set<number>,
): Promise<Task> {
  let ended: Task | undefined;
  const work = devices.map(async (device, index) => {
    while (!ended) {
      await tolerant(() => step(device, index, acknowledged));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  });
  try {
    return await eventually(
      'the task to complete',
      async () => {
        const seen = await tolerant(() => admin.get<Task>(`/v1/tasks/${task.id}`));
        if (seen?.state === 'draft') await tolerant(() => admin.post(`/v1/tasks/${task.id}/start`));
        return seen?.state === 'completed' ? seen : undefined;
      },
      45_000, // less than any window of the plan: no deadline may be what takes the round on
    );
  } finally {
    ended = task;
    await Promise.all(work);
  }
}

async function step(device: RawDevice, index: number, acknowledged: Set<number>): Promise<void> {
  const assignment = await device.assignment();
  if (!assignment) return;
  const update = oneHot(assignment, index);
  switch (assignment.state) {
    case 'offered':
      await device.say(assignment.id, 'accept');
      return;
    case 'accepted':
      await device.say(assignment.id, 'begin');
      return;
    case 'training':
      await device.say(assignment.id, 'ready', { digest: sha256(update), bytes: update.length });
      return;
    case 'grouped': {
      const head = await device.send('HEAD', `/v1/device/assignments/${assignment.id}/update`);
      const start = Number(head.headers.get('upload-offset'));
      const half = update.length >> 1;
      if (start < half) await device.part(assignment.id, update, { start, end: half, last: false });
      const from = Math.max(start, half);
      const answer = await device.part(assignment.id, update, {
        start: from,
        end: update.length,
        last: true,
      });
      if (answer.body.state === 'uploaded') acknowledged.add(index);
      return;
    }
    default:
      return;
  }
}

/** `undefined` while the server is down or answers with an error: the caller asks again. */
async function tolerant<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
