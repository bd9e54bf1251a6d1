import { startServer, UnmaskingFailed, type StarlingServer, type Unmasking } from '@starling/server';
import { toHex, type Plan, type RoundDetail, type Task, type TrainingMetrics } from '@starling/protocol';
import type { GroupHealth } from '@starling/protocol/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { knownFleet, knownUpdate, knownWeight, saType, type KnownDevice } from './testing/known-device.ts';
import { Admin, eventually } from './testing/project.ts';
import { temporaryDirectory } from './testing/servers.ts';
import { completed, devicesIn, roundsOf, runTask, weightsOf } from './testing/tasks.ts';

/**
 * Real devices, the real wire, and updates that are known: a secure task must publish the same bits as a clear one whose
 * devices gave the same updates.
 */
const windows = { selectingMs: 60_000, trainingMs: 60_000, aggregatingMs: 60_000 };
/** A phase in which a device is missing lasts a tenth of it, the uploads half. */
const short = { ...windows, aggregatingMs: 20_000 };
const secureTo = (target: number, minimum: number): Partial<Plan> => ({
  secure: { groupSize: { target, minimum }, ring: 32 },
  windows,
});
/** Devices of this test's fleet; those of the tests before may still be listed as present. */
const cohort = (goal: number, minimum = goal): Partial<Plan> => ({
  cohort: { goal, minimum, overSelection: 1, select: { fleet: String(fleets) } },
});

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: StarlingServer;
let admin: Admin;
let fleet: Awaited<ReturnType<typeof knownFleet>>;
let fleets = 0;

const launch = (port: number, unmasking?: Unmasking) =>
  startServer({
    ...{ dataDirectory: place.path, logLevel: 'silent', pollIntervalMs: 50, port },
    ...(unmasking && { unmasking }),
  });

beforeAll(async () => {
  place = await temporaryDirectory();
  server = await launch(0);
  admin = new Admin(server.url, server.firstKey ?? '');
});
beforeEach(() => {
  fleets++;
  fleet = { devices: [], close: () => Promise.resolve() };
});
afterEach(() => fleet.close());
afterAll(async () => {
  await server.close();
  await place.remove();
});

async function devicesOnline(count: number, hasSocket = true): Promise<KnownDevice[]> {
  const token = await admin.enrolmentToken({ fleet: String(fleets) });
  fleet = await knownFleet(server.url, token, count, { hasSocket });
  for (const { device } of fleet.devices) await device.start();
  await eventually('the devices to be online', () =>
    Promise.resolve(
      fleet.devices.every(({ device }) => device.state === (hasSocket ? 'online' : 'polling')) || undefined,
    ),
  );
  return fleet.devices;
}

/** What these devices would publish in the clear, in `rounds` rounds. */
async function clearly(
  rounds: number,
  devices: readonly KnownDevice[],
): Promise<{ task: Task; list: RoundDetail[] }> {
  const others = fleet.devices.filter((device) => !devices.includes(device));
  await Promise.all(others.map(({ device }) => device.stop()));
  const task = await runTask(admin, { rounds, windows, ...cohort(devices.length) });
  return { task, list: await completed(admin, task) };
}

describe('a secure task', { timeout: 120_000 }, () => {
  it.each([
    ['one group', 6],
    ['two groups', 3],
  ])('publishes in %s the bits of the clear task, and nobody saw an update', async (_, target) => {
    const devices = await devicesOnline(6);
    const task = await runTask(admin, { rounds: 2, ...cohort(6), ...secureTo(target, 3) });
    const rounds = await completed(admin, task);
    expect(rounds.map(({ state }) => state)).toEqual(['published', 'published']);
    const masked = devices.map(({ number, sent, seen }) => {
      const file = knownUpdate(number, seen[0]!);
      expect(sent.filter(({ path }) => path.endsWith('/update')).length).toBeGreaterThan(0);
      // Not the file, and neither its values nor a digest of it, in any body.
      const parameters = toHex(file.subarray(file.length - 60, file.length - 30));
      for (const { body } of sent) expect(toHex(body)).not.toContain(parameters);
      const bodies = sent.filter(({ path, body }) => path.endsWith('/update') && body.length > 0);
      return bodies.map(({ body }) => toHex(body));
    });
    expect(masked.every((bodies) => bodies.length === 2 && bodies[0] !== bodies[1])).toBe(true);
    expect(devices.flatMap(({ errors }) => errors)).toEqual([]);

    const { task: clear, list } = await clearly(2, devices);
    expect(await weightsOf(admin, task)).toEqual(await weightsOf(admin, clear));
    expect(rounds.map(({ metrics }) => metrics)).toEqual(list.map(({ metrics }) => metrics));
  });

  it('sums exactly the others when one device stops before its shares and one before its update', async () => {
    const devices = await devicesOnline(8);
    stopAt(devices[2]!, saType.shares, 'before');
    stopAt(devices[5]!, saType.upload, 'before');
    const task = await runTask(admin, { ...cohort(8, 5), ...secureTo(8, 5), windows: short });
    const [round] = await completed(admin, task);
    expect(devicesIn(round)).toBe(6);
    const others = devices.filter((_, number) => number !== 2 && number !== 5);
    expect((round?.metrics as TrainingMetrics).weight).toBe(
      others.reduce((sum, { number }) => sum + knownWeight(number), 0),
    );
    expect(round?.funnel).toEqual({ states: { counted: 6, dropped: 2 }, dropped: { late: 2 } });
    expect(await admin.get<GroupHealth>(`/v1/tasks/${task.id}/groups`)).toMatchObject({
      minimum: 5,
      rounds: [
        {
          ...{ sequence: 1, groups: 1, summed: 1, aborted: 0, abortedBy: {}, devices: 8, lost: 2, unused: 0 },
          ...{ smallest: 8, largest: 8, needed: 6, medianMs: expect.any(Number) as number },
        },
      ],
    });
    const { task: clear } = await clearly(1, others);
    expect(await weightsOf(admin, task)).toEqual(await weightsOf(admin, clear));
    expect(await admin.get<GroupHealth>(`/v1/tasks/${clear.id}/groups`)).toEqual({
      minimum: null,
      rounds: [],
    });
  });

  it('counts a device that stops after its update was taken', async () => {
    const devices = await devicesOnline(7);
    stopAt(devices[3]!, saType.signature, 'before');
    const task = await runTask(admin, { ...cohort(7, 5), ...secureTo(7, 5), windows: short });
    const [round] = await completed(admin, task);
    expect(devicesIn(round)).toBe(7);
  });

  it('counts a device that fails after its update was taken: it cannot be taken out of the sum', async () => {
    const devices = await devicesOnline(7);
    devices[3]!.hooks.onMessage = (type, when) => {
      if (type === saType.signature && when === 'before') throw new Error('broken');
    };
    const task = await runTask(admin, { ...cohort(7), ...secureTo(7, 5), windows: short });
    const [round] = await completed(admin, task);
    expect(devicesIn(round)).toBe(7);
    expect(round?.funnel).toEqual({ states: { counted: 7 }, dropped: {} });
  });

  it('sums devices without a live connection, which ask over HTTP', async () => {
    const devices = await devicesOnline(4, false);
    const task = await runTask(admin, { rounds: 2, ...cohort(4), ...secureTo(4, 3) });
    const rounds = await completed(admin, task);
    expect(rounds.map(({ state }) => state)).toEqual(['published', 'published']);
    expect(rounds.map(devicesIn)).toEqual([4, 4]);
    const { task: clear } = await clearly(2, devices);
    expect(await weightsOf(admin, task)).toEqual(await weightsOf(admin, clear));
  });

  it('publishes nothing from a group that fell below its threshold', async () => {
    const devices = await devicesOnline(4);
    for (const device of devices.slice(0, 2)) stopAt(device, saType.shares, 'after');
    const task = await runTask(admin, { ...cohort(4, 3), ...secureTo(4, 3), windows: short });
    const round = await eventually(
      'the round to end',
      async () => {
        const [first] = await roundsOf(admin, task.id);
        return first?.endedAt ? first : undefined;
      },
      40_000,
    );
    expect(round.state).toBe('abandoned');
    expect(round.funnel.dropped).toEqual({ 'group-aborted': 4 });
    const health = await admin.get<GroupHealth>(`/v1/tasks/${task.id}/groups`);
    expect(health.rounds[0]).toMatchObject({
      ...{ groups: 1, summed: 0, aborted: 1, abortedBy: { 'too-few-uploads': 1 } },
      ...{ devices: 4, lost: 0, unused: 4, needed: 3, medianMs: null },
    });
    await admin.post(`/v1/tasks/${task.id}/cancel`);
    expect(await weightsOf(admin, task)).toHaveLength(1);
  });

  it('counts a device once that starts again in the midst of its group, and masks nothing twice', async () => {
    const devices = await devicesOnline(4);
    const before = devices[1]!;
    const again = new Promise<KnownDevice>((resolve) => {
      before.hooks.onMessage = async (type, when) => {
        if (type !== saType.upload || when !== 'after') return;
        before.cut();
        const after = before.again();
        await after.device.start();
        resolve(after);
      };
    });
    const task = await runTask(admin, { ...cohort(4), ...secureTo(4, 3) });
    const after = await again;
    const [round] = await completed(admin, task);
    expect(devicesIn(round)).toBe(4);
    const announced = (device: KnownDevice) =>
      device.sent.filter(({ path, body }) => path.endsWith('/messages') && body[1] === saType.upload);
    expect(announced(after).length).toBeGreaterThan(0);
    for (const { body } of announced(after)) expect(toHex(body)).toBe(toHex(announced(before)[0]!.body));
    const { task: clear } = await clearly(1, [devices[0]!, after, devices[2]!, devices[3]!]);
    expect(await weightsOf(admin, task)).toEqual(await weightsOf(admin, clear));
  });

  it('forms its groups without those that are not ready in time', async () => {
    const devices = await devicesOnline(4);
    devices[0]!.hooks.onTraining = (signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new Error('given up'));
        });
      });
    const task = await runTask(admin, {
      ...cohort(4, 3),
      ...secureTo(4, 3),
      windows: { ...windows, trainingMs: 3_000 },
    });
    const [round] = await completed(admin, task);
    expect(devicesIn(round)).toBe(3);
    expect(round?.funnel.dropped).toEqual({ late: 1 });
  });

  it('goes on in another group when the server restarts in the midst of one', async () => {
    const devices = await devicesOnline(3);
    let [isHeld, arrived] = [true, 0];
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    for (const device of devices) {
      device.hooks.onMessage = async (type, when) => {
        if (!isHeld || type !== saType.upload || when !== 'before') return;
        arrived++;
        await released;
      };
    }
    const task = await runTask(admin, { ...cohort(3), ...secureTo(3, 3) });
    await eventually('all to be about to upload', () => Promise.resolve(arrived === 3 || undefined));
    const { port } = new URL(server.url);
    await server.close();
    isHeld = false;
    server = await launch(Number(port));
    release();
    const rounds = await completed(admin, task);
    expect(rounds.map(({ state }) => state)).toEqual(['abandoned', 'published']);
    expect(devicesIn(rounds[1])).toBe(3);
    const { task: clear } = await clearly(1, devices);
    expect(await weightsOf(admin, task)).toEqual(await weightsOf(admin, clear));
  });

  it('publishes nothing from a group whose masks could not be taken away, and goes on with the next round', async () => {
    const { port } = new URL(server.url);
    await server.close();
    server = await launch(Number(port), {
      apply: (_, sum) => {
        sum.fill(0); // what is left then must not be used
        return Promise.reject(new UnmaskingFailed('A thread has died.'));
      },
      close: () => Promise.resolve(),
    });
    const devices = await devicesOnline(3);
    const task = await runTask(admin, { ...cohort(3), ...secureTo(3, 3) });
    const failed = await eventually('a round to be abandoned', async () =>
      (await roundsOf(admin, task.id)).find(({ endedAt }) => endedAt !== null),
    );
    expect(failed.state).toBe('abandoned');
    expect(failed.funnel.dropped).toEqual({ 'group-aborted': 3 });
    await server.close();
    server = await launch(Number(port));
    const rounds = await completed(admin, task);
    expect(rounds.at(-1)?.state).toBe('published');
    const { task: clear } = await clearly(1, devices);
    expect(await weightsOf(admin, task)).toEqual(await weightsOf(admin, clear));
  });

  it('is not created where its groups could not be summed', async () => {
    await expect(admin.tinyTask({ ...cohort(6), ...secureTo(3, 6) })).rejects.toMatchObject({
      code: 'invalid-plan',
      extra: { errors: [{ path: 'plan.secure.groupSize.minimum' }] },
    });
    await expect(
      admin.tinyTask({ ...cohort(6), secure: { groupSize: { target: 2048, minimum: 6 }, ring: 16 } }),
    ).rejects.toMatchObject({
      code: 'invalid-plan',
      extra: { errors: [{ path: 'plan.secure (training)' }] },
    });
    await expect(admin.tinyTask({ ...cohort(6, 2), ...secureTo(6, 3) })).rejects.toMatchObject({
      extra: { errors: [{ path: 'plan.cohort.minimum' }] },
    });
  });
});

function stopAt(device: KnownDevice, message: number, when: 'before' | 'after'): void {
  device.hooks.onMessage = (type, now) => {
    if (type !== message || now !== when) return;
    device.cut();
    if (now === 'before') throw new Error('cut off');
  };
}
