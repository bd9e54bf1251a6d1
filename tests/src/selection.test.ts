import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Assignment, CheckInAnswer, DeviceId, Plan } from '@starling/protocol';
import { io } from 'socket.io-client';
import { eventually } from './testing/project.ts';
import { RawDevice, updateFile } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';
import { runTask } from './testing/tasks.ts';

/** Whom the server asks, how often, and when it wants a device back. */

let world: TestServer;
beforeAll(async () => {
  world = await testServer();
});
afterAll(() => world.close());

/** Devices that only this fleet's tasks select. */
async function fleet(name: string, size: number): Promise<RawDevice[]> {
  const token = await world.admin.enrolmentToken({ name });
  return Promise.all(Array.from({ length: size }, () => RawDevice.enrolled(world.server.url, token)));
}

const cohortOf = (name: string): Plan['cohort'] => ({
  ...{ goal: 1, minimum: 1, overSelection: 1, select: { name } },
});

/** The devices ask in turn until one of them is offered a round. */
async function nextOffer(devices: readonly RawDevice[]): Promise<{ device: RawDevice; offer: Assignment }> {
  return eventually('an offer', async () => {
    for (const device of devices) {
      const offer = await device.assignment();
      if (offer) return { device, offer };
    }
    return undefined;
  });
}

async function contribute({ device, offer }: { device: RawDevice; offer: Assignment }): Promise<DeviceId> {
  const update = updateFile(offer);
  await device.reachUpload(offer, update);
  expect((await device.upload(offer.id, update)).body.state).toBe('uploaded');
  return device.deviceId as DeviceId; // it is enrolled
}

async function offersOf(device: RawDevice, asked: number): Promise<number> {
  let offers = 0;
  for (let time = 0; time < asked; time++) if (await device.assignment()) offers++;
  return offers;
}

describe('a device', { timeout: 60_000 }, () => {
  it('is not asked again before the time that lies between two contributions', async () => {
    const devices = await fleet('apart', 2);
    await runTask(world.admin, {
      ...{ rounds: 3, cohort: cohortOf('apart') },
      eligibility: { minSeparationMs: 3_600_000 },
    });
    const first = await contribute(await nextOffer(devices));
    const second = await contribute(await nextOffer(devices));
    expect(first).not.toBe(second);
    for (const device of devices) expect(await offersOf(device, 3)).toBe(0);
  });

  it('is not asked for more rounds in a day than the plan takes', async () => {
    const [device] = await fleet('thrifty', 1);
    const task = await runTask(world.admin, {
      ...{ rounds: 3, cohort: cohortOf('thrifty'), quota: { roundsPerDay: 2 } },
    });
    await contribute(await nextOffer([device!]));
    await contribute(await nextOffer([device!]));
    const open = await eventually('the third round', async () => {
      const { items } = await world.admin.get<{ items: { sequence: number; state: string }[] }>(
        `/v1/tasks/${task.id}/rounds`,
      );
      return items.find(({ sequence }) => sequence === 3);
    });
    expect(open.state).toBe('selecting');
    expect(await offersOf(device!, 3)).toBe(0);
  });

  it('is not asked where the round could take more bytes than the plan allows a day', async () => {
    const [device] = await fleet('metered', 1);
    await runTask(world.admin, { cohort: cohortOf('metered'), quota: { bytesPerDay: 1000 } });
    expect(await offersOf(device!, 3)).toBe(0);
    await runTask(world.admin, { cohort: cohortOf('metered'), quota: { bytesPerDay: 100_000 } });
    await contribute(await nextOffer([device!]));
  });

  it('waits for its next turn until all that are there had theirs', async () => {
    const devices = await fleet('in turn', 3);
    await runTask(world.admin, {
      ...{ rounds: 6, cohort: { ...cohortOf('in turn'), withoutReplacement: true } },
    });
    for (const device of devices) await device.send('GET', '/v1/device/assignment'); // all are there
    const turns: DeviceId[] = [];
    while (turns.length < 6) turns.push(await contribute(await nextOffer(devices)));
    expect(new Set(turns.slice(0, 3)).size).toBe(3);
    expect(new Set(turns.slice(3)).size).toBe(3);
  });

  it('is told when to ask again, within the window of the plan while the fleet is small', async () => {
    const [device] = await fleet('paced', 1);
    const other = await testServer();
    try {
      const token = await other.admin.enrolmentToken();
      const paced = await RawDevice.enrolled(other.server.url, token);
      await runTask(other.admin, {
        ...{ cohort: { ...cohortOf('nobody') }, pace: { minDelayMs: 40_000, maxDelayMs: 50_000 } },
      });
      for (let time = 0; time < 10; time++) {
        const { retryAfterMs } = await paced.ok<CheckInAnswer>('GET', '/v1/device/assignment');
        expect(retryAfterMs).toBeGreaterThanOrEqual(40_000);
        expect(retryAfterMs).toBeLessThanOrEqual(50_000);
      }
    } finally {
      await other.close();
    }
    const { retryAfterMs } = await device!.ok<CheckInAnswer>('GET', '/v1/device/assignment');
    expect(retryAfterMs).toBeLessThanOrEqual(3_000);
  });

  it('is told when to come back by a server that goes', async () => {
    const other = await testServer();
    const device = await RawDevice.enrolled(other.server.url, await other.admin.enrolmentToken());
    const socket = io(`${other.server.url}/device`, {
      ...{ transports: ['websocket'], auth: { token: device.token }, reconnection: false },
    });
    const emitter = socket as unknown as NodeJS.EventEmitter; // of the same shape
    await once(emitter, 'connect');
    const told = once(emitter, 'leaving');
    const ended = once(emitter, 'disconnect');
    await other.close();
    expect(await told).toEqual([{ minDelayMs: 0, maxDelayMs: 5 }]); // one device, 200 a second
    await ended;
  });
});
