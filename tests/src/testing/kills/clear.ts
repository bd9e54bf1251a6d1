import { expect } from 'vitest';
import type { Plan, RoundDetail, Task } from '@starling/protocol';
import { countsBetween, oneHot, versionsOf } from '../one-hot.ts';
import { Admin, eventually } from '../project.ts';
import { RawDevice } from '../raw-device.ts';
import { deathOf, patienceMs, standingOf, tolerant } from './death.ts';
import type { KillWorld } from './worlds.ts';

export const clearPoints = [
  'round-opened',
  'devices-offered',
  'assignment-accepted:2',
  'assignment-accepted:3',
  'training-started',
  'assignment-ready:2',
  'assignment-ready:3',
  'assignment-dropped',
  'group-formed:2',
  'upload-part-staged:1',
  'upload-part-staged:4',
  'upload-verified:2',
  'upload-recorded:1',
  'upload-recorded:3',
  'round-closed',
  'version-stored',
  'round-published',
  'round-tidied',
] as const;

const goal = 3;
const cohort: Plan['cohort'] = { goal, minimum: goal, overSelection: 1, select: { fleet: 'clear' } };
/** One more than are wanted: one may decline. */
const deviceCount = goal + 1;

export async function clearFleet({ admin }: KillWorld): Promise<RawDevice[]> {
  const token = await admin.enrolmentToken({ fleet: 'clear' });
  const seeds = Array.from({ length: deviceCount }, (_, index) => new Uint8Array(32).fill(index + 1));
  return Promise.all(seeds.map((seed) => RawDevice.enrolled(admin.url, token, seed)));
}

/**
 * A round of one-hot updates in which the victim dies at `point`: it is published, every device that took part is counted
 * once, and all that were acknowledged are. Gives the time until it went on, in milliseconds.
 */
export async function diesInClearRound(
  world: KillWorld,
  devices: readonly RawDevice[],
  point: string,
): Promise<number> {
  let task: Task | undefined;
  const death = deathOf(world, () => standingOf(world.admin, task));
  while (!(await death.hasCome())) {
    for (const device of devices) await movedTo(device, world.victim.url).assignment();
    task = await world.admin.tinyTask({ cohort });
    await world.victim.arm(point);
    const id = task.id;
    await tolerant(() => new Admin(world.victim.url, world.admin.key).post(`/v1/tasks/${id}/start`));
    const acknowledged = await runDevices(world, task, devices, point === 'assignment-dropped');
    await expectCountedOnce(world, task, 1, acknowledged);
  }
  return death.resumedMs;
}

/** A task of so many rounds in which nobody dies. */
export async function clearRounds(
  world: KillWorld,
  devices: readonly RawDevice[],
  plan: Partial<Plan> & { rounds: number },
): Promise<Task> {
  for (const device of devices) await movedTo(device, world.victim.url).assignment();
  const task = await world.admin.tinyTask({ cohort, ...plan });
  await world.admin.post(`/v1/tasks/${task.id}/start`);
  await expectCountedOnce(world, task, plan.rounds, await runDevices(world, task, devices, false));
  return task;
}

async function expectCountedOnce(
  { admin }: KillWorld,
  task: Task,
  rounds: number,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  // Who dies when the round is published already may do so while it is asked.
  const asked = <T>(what: string, ask: () => Promise<T>) => eventually(what, () => tolerant(ask), patienceMs);
  const { items } = await asked('the rounds', () =>
    admin.get<{ items: RoundDetail[] }>(`/v1/tasks/${task.id}/rounds`),
  );
  expect(items.map(({ state }) => state)).toEqual(Array(rounds).fill('published'));
  const versions = await asked('the versions', () => versionsOf(admin, task));
  expect(versions).toHaveLength(rounds + 1);
  for (let round = 0; round < rounds; round++) {
    const counts = countsBetween(versions[round]!, versions[round + 1]!, goal);
    expect(counts.slice(0, deviceCount).sort()).toEqual([0, ...Array<number>(goal).fill(1)]);
    expect(counts.slice(deviceCount).every((count) => count === 0)).toBe(true);
    // Replies may be lost with the process, as many as were on their way; what was acknowledged has to be counted.
    for (const { index } of acknowledged.filter((one) => one.round === round)) expect(counts[index]).toBe(1);
  }
}

interface Acknowledged {
  readonly index: number;
  readonly round: number;
}

/** Lets every device go on where the server says that it stands, until the task has ended. */
async function runDevices(
  world: KillWorld,
  task: Task,
  devices: readonly RawDevice[],
  oneDeclines: boolean,
): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  let mayDecline = oneDeclines;
  let ended = false;
  const work = devices.map(async (device, index) => {
    while (!ended) {
      await tolerant(async () => {
        const assignment = await movedTo(device, world.node()).assignment();
        if (assignment?.state === 'offered' && mayDecline) {
          mayDecline = false;
          await device.say(assignment.id, 'decline', { reason: 'test' });
        } else if (assignment && (await device.goOn(assignment, oneHot(assignment, index), 2))) {
          acknowledged.push({ index, round: assignment.roundNumber - 1 });
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  });
  try {
    await eventually(
      'the task to complete',
      () =>
        tolerant(async () => {
          const { state } = await world.admin.get<Task>(`/v1/tasks/${task.id}`);
          if (state === 'draft') await world.admin.post(`/v1/tasks/${task.id}/start`);
          return state === 'completed' || undefined;
        }),
      patienceMs,
    );
  } finally {
    ended = true;
    await Promise.all(work);
  }
  return acknowledged;
}

function movedTo(device: RawDevice, url: string): RawDevice {
  return Object.assign(device, { url });
}
