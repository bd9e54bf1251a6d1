import { expect } from 'vitest';
import type { Plan, Task } from '@starling/protocol';
import { knownFleet, saType, type KnownDevice } from '../known-device.ts';
import { Admin, eventually } from '../project.ts';
import { completed, devicesIn, weightsOf } from '../tasks.ts';
import { deathOf, patienceMs, standingOf, tolerant } from './death.ts';
import type { KillWorld } from './worlds.ts';

export const securePoints = [
  'group-formed',
  'group-keys',
  'group-shares',
  'group-uploads',
  'masked-update-staged:2',
  'masked-update-added:1',
  'group-signing',
  'group-unmasking',
  'group-sum-kept',
  'group-summed',
  'group-aborted',
  'round-closed',
  'version-stored',
  'round-published',
] as const;

const size = 3;
const plan: Partial<Plan> = {
  cohort: { goal: size, minimum: size, overSelection: 1, select: { fleet: 'secure' } },
  secure: { groupSize: { target: size, minimum: size }, ring: 32 },
};
/** The window of each of a group's phases is a tenth of the last. */
const shortWindows = { selectingMs: 60_000, trainingMs: 60_000, aggregatingMs: 30_000 };

export interface SecureFleet {
  readonly devices: readonly KnownDevice[];
  /** What a task of theirs publishes when nobody dies. */
  readonly unhurt: string;
  readonly close: () => Promise<void>;
}

/**
 * Devices with a socket to the victim, which so forms their groups. What they say over HTTP goes to another node with every
 * request, but masked updates, which go to the victim.
 */
export async function secureFleet(world: KillWorld): Promise<SecureFleet> {
  const { admin } = world;
  const fleet = await knownFleet(world.victim.url, await admin.enrolmentToken({ fleet: 'secure' }), size, {
    nodeFor: (path) => (/\/(ready|update)$/.test(path) ? world.node() : world.anyNode()),
  });
  for (const { device } of fleet.devices) await device.start();
  const task = await admin.tinyTask(plan);
  await admin.post(`/v1/tasks/${task.id}/start`);
  await completed(admin, task, patienceMs);
  return { ...fleet, unhurt: (await weightsOf(admin, task)).at(-1)! };
}

/**
 * A secure task in which the victim, who holds the group, dies at `point`: a round is published in the end, with the exact
 * sum over all devices; what was abandoned published nothing. Gives the time until it went on, in milliseconds.
 */
export async function diesInSecureRound(
  world: KillWorld,
  { devices, unhurt }: SecureFleet,
  point: string,
): Promise<number> {
  const isAborting = point === 'group-aborted';
  let task: Task | undefined;
  const death = deathOf(world, () => standingOf(world.admin, task));
  while (!(await death.hasCome())) {
    task = await world.admin.tinyTask({ ...plan, ...(isAborting && { windows: shortWindows }) });
    await world.victim.arm(point);
    const died = world.victim.ended();
    for (const { hooks } of devices) {
      hooks.onMessage = async (type, when) => {
        if (isAborting && type === saType.keys && when === 'before') await died; // nobody answers: the phase's window closes
      };
    }
    const id = task.id;
    await tolerant(() => new Admin(world.victim.url, world.admin.key).post(`/v1/tasks/${id}/start`));
    await expectExactSum(world, task, unhurt);
  }
  return death.resumedMs;
}

async function expectExactSum({ admin }: KillWorld, task: Task, unhurt: string): Promise<void> {
  await eventually(
    'the task to complete',
    () => tolerant(async () => (await standingOf(admin, task)).isOver || undefined),
    patienceMs,
  );
  const rounds = await completed(admin, task);
  const published = rounds.filter(({ state }) => state === 'published');
  expect(published.map(devicesIn)).toEqual([size]);
  expect(
    rounds.filter(({ state }) => state !== 'published').every(({ state }) => state === 'abandoned'),
  ).toBe(true);
  const weights = await weightsOf(admin, task);
  expect(weights).toHaveLength(2);
  expect(weights[1]).toBe(unhurt);
}
