import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Assignment, DeviceId, Task } from '@starling/protocol';
import type { Client } from '@starling/protocol/api';
import { clientOf } from './testing/client.ts';
import { eventStream } from './testing/event-stream.ts';
import { Admin, eventually, tinySize } from './testing/project.ts';
import { RawDevice, sha256, updateFile } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

/** One task of one round: two devices are counted, one declines, and a fourth never takes part. */
let world: TestServer;
let client: Client;
let devices: RawDevice[];
let task: Task;
let updateBytes: number;
let roundId: Assignment['roundId'];

beforeAll(async () => {
  world = await testServer();
  client = clientOf(world.admin);
  const token = await world.admin.enrolmentToken({ part: 'fleet' });
  devices = await Promise.all([0, 1, 2].map(() => RawDevice.enrolled(world.server.url, token)));
  await RawDevice.enrolled(world.server.url, await world.admin.enrolmentToken({ part: 'other' }));
  for (const device of devices) await device.assignment();
  task = await world.admin.tinyTask({
    cohort: { goal: 3, minimum: 2, overSelection: 1, select: { part: 'fleet' } },
  });
  await client.call('startTask', { params: { id: task.id } });
  const offers = await Promise.all(
    devices.map((device) => eventually('an offer', async () => (await device.assignment()) ?? undefined)),
  );
  const [first, second, third] = offers as [Assignment, Assignment, Assignment];
  roundId = first.roundId;
  await devices[2]!.say(third.id, 'decline', { reason: 'busy' });
  for (const [index, offer] of [first, second].entries()) await devices[index]!.say(offer.id, 'accept');
  await client.call('closeRound', { params: { id: first.roundId } });
  for (const [index, offer] of [first, second].entries()) {
    const update = updateFile(offer, { parameters: { [index]: 1 } });
    updateBytes = update.length;
    await devices[index]!.reachUpload(offer, update);
    await devices[index]!.upload(offer.id, update);
  }
  await eventually('the task to complete', async () => {
    const { state } = await client.call('getTask', { params: { id: task.id } });
    return state === 'completed' ? state : undefined;
  });
});
afterAll(() => world.close());

describe('the fleet', () => {
  it('is counted by the database: devices, their platforms, what was counted and dropped within a day', async () => {
    const fleet = await client.call('getFleet');
    expect(fleet.devices).toEqual({
      ...{ active: 4, revoked: 0, online: 3, day: 4, week: 4 },
      ...{ eligible: 0, working: 0 }, // nothing runs
    });
    expect(fleet.platforms).toEqual([{ name: expect.any(String) as string, devices: 4, seen: 4 }]);
    expect(fleet.networks).toEqual([{ name: '', devices: 4, seen: 4 }]);
    expect(fleet.enrolled).toHaveLength(14);
    expect(fleet.enrolled.at(-1)?.devices).toBe(4);
    expect(fleet.enrolled.slice(0, -1).every((day) => day.devices === 0)).toBe(true);
    expect(fleet.work).toEqual({ tasks: 0, rounds: 0, jobs: 0, assignments: {} });
    expect(fleet.day).toEqual({
      published: 1,
      abandoned: 0,
      counted: 2,
      dropped: { declined: 1 },
      bytesUp: 2 * updateBytes,
    });
    expect(fleet.alerts).toEqual([]);
  });

  it('knows the network that a device told of last', async () => {
    const params = { id: devices[0]!.deviceId as DeviceId }; // the server gave it
    for (const network of ['metered', 'unmetered'] as const) {
      await devices[0]!.openSession(network);
      expect(await client.call('getDevice', { params })).toMatchObject({ network });
    }
    expect((await client.call('getFleet')).networks).toEqual([
      { name: '', devices: 3, seen: 3 },
      { name: 'unmetered', devices: 1, seen: 1 },
    ]);
    await devices[0]!.openSession();
    expect(await client.call('getDevice', { params })).toMatchObject({ network: null });
  });

  it('asks for attention where a round wants more devices than are online, and only so long', async () => {
    const wanting = await world.admin.tinyTask(
      { cohort: { goal: 9, minimum: 9, overSelection: 1, select: { part: 'none' } } },
      'many',
    );
    await client.call('startTask', { params: { id: wanting.id } });
    const { alerts } = await client.call('getFleet');
    expect(alerts).toMatchObject([
      { kind: 'too-few-online', taskId: wanting.id, task: 'many', message: '9' },
    ]);
    await client.call('cancelTask', { params: { id: wanting.id } });
    expect((await client.call('getFleet')).alerts).toEqual([]);
  });

  it('asks for attention after two rounds in a row were abandoned', async () => {
    const unlucky = await world.admin.tinyTask(
      { cohort: { goal: 3, minimum: 3, overSelection: 1, select: { part: 'none' } } },
      'unlucky',
    );
    await client.call('startTask', { params: { id: unlucky.id } });
    for (const expected of [[], ['rounds-abandoned']]) {
      const { items } = await client.call('listRounds', { params: { id: unlucky.id } });
      await client.call('abortRound', { params: { id: items[0]!.id } });
      const { alerts } = await client.call('getFleet');
      expect(alerts.map(({ kind }) => kind)).toEqual(expected);
    }
    await client.call('cancelTask', { params: { id: unlucky.id } });
  });
});

describe('tasks', () => {
  it('are found by state and by a part of their name, in whatever case', async () => {
    const named = async (query: { state?: Task['state']; name?: string }) =>
      (await client.call('listTasks', { query })).items.map(({ name }) => name).sort();
    expect(await named({})).toEqual(['many', 'tiny', 'unlucky']);
    expect(await named({ state: 'completed' })).toEqual(['tiny']);
    expect(await named({ name: 'UNL' })).toEqual(['unlucky']);
    expect(await named({ name: '%' })).toEqual([]);
    expect(await named({ state: 'completed', name: 'many' })).toEqual([]);
  });
});

describe('a task', () => {
  it('shows its learning curve: one point a published round', async () => {
    const { startedAt, points } = await client.call('getCurves', { params: { id: task.id } });
    expect(Date.parse(startedAt ?? '')).toBeGreaterThan(0);
    expect(points).toMatchObject([
      { sequence: 1, kind: 'training', number: 1, devices: 2, bytesUp: 2 * updateBytes, evaluation: null },
    ]);
    expect(points[0]?.training?.devices).toBe(2);
  });

  it('shows what it has cost its devices', async () => {
    const cost = await client.call('getCost', { params: { id: task.id } });
    expect(cost).toMatchObject({
      rounds: { published: 1, abandoned: 0 },
      updates: { counted: 2, dropped: 1 },
      bytesUp: 2 * updateBytes,
    });
    expect(cost.bytesDown).toBeGreaterThanOrEqual(2 * 4 * tinySize);
    expect(cost.deviceMs).toBeGreaterThanOrEqual(0);
  });
});

describe('devices', () => {
  const idOf = (index: number) => devices[index]!.deviceId as DeviceId; // the server gave it

  it('are found by state, label, beginning of the id, platform and version of the SDK', async () => {
    const found = async (query: object) =>
      (await client.call('listDevices', { query })).items.map(({ id }) => id).sort();
    const all = await found({});
    expect(all).toHaveLength(4);
    expect(await found({ label: 'part=fleet' })).toEqual(devices.map(({ deviceId }) => deviceId).sort());
    expect(await found({ label: 'part=' })).toEqual([]);
    expect(await found({ id: devices[0]!.deviceId.slice(0, 10) })).toEqual([devices[0]!.deviceId]);
    expect(await found({ id: '%' })).toEqual([]);
    expect(await found({ state: 'revoked' })).toEqual([]);
    const { platform, sdkVersion } = await client.call('getDevice', { params: { id: idOf(0) } });
    expect(await found({ platform, sdkVersion })).toEqual(all);
    expect(await found({ platform: `${platform}s` })).toEqual([]);
  });

  it('show what they took part in, and how that ended', async () => {
    const work = async (index: number) =>
      (await client.call('listDeviceWork', { params: { id: idOf(index) } })).items;
    expect(await work(0)).toMatchObject([
      {
        taskId: task.id,
        task: task.name,
        roundNumber: 1,
        kind: 'training',
        state: 'counted',
        bytesUp: updateBytes,
      },
    ]);
    expect(await work(2)).toMatchObject([{ state: 'dropped', reason: 'declined: busy', bytesUp: null }]);
  });
});

describe('operations', () => {
  it('say how the node that answers is, and what its project waits for', async () => {
    const { node, nodesAlive, project, everything } = await client.call('getOperations');
    expect(node).toMatchObject({
      ready: true,
      reasons: [],
      blobs: 'files',
      devices: { socket: 0, polling: 3 },
    });
    expect(node.checks.every(({ ready }) => ready)).toBe(true);
    expect(node.database.kind).toBe('embedded');
    expect(node.memory.heapBytes).toBeGreaterThan(0);
    expect(node.memory.residentBytes).toBeLessThan(node.memory.machineBytes);
    expect(node.eventLoop.p50Ms).toBeLessThanOrEqual(node.eventLoop.p99Ms);
    expect(node.eventLoop.p99Ms).toBeLessThanOrEqual(node.eventLoop.maxMs);
    expect(nodesAlive).toBe(1);
    expect(project).toMatchObject({
      jobs: { waiting: 0, running: 0, longestWaitMs: 0 },
      ...{ rounds: {}, assignments: {}, groups: {}, overdueMs: 0, staged: { updates: 0, bytes: 0 } },
    });
    expect(project.blobs.count).toBeGreaterThanOrEqual(2); // the weights before and after the round
    expect(everything).toMatchObject(project);
    expect(everything?.databaseBytes).toBeGreaterThan(0);
  });

  it('count what is under way: rounds, devices at work, updates that are staged', async () => {
    const token = await world.admin.enrolmentToken({ part: 'staged' });
    const [first, second] = [await enrolledAndHere(token), await enrolledAndHere(token)];
    const open = await world.admin.tinyTask(
      { cohort: { goal: 2, minimum: 2, overSelection: 1, select: { part: 'staged' } } },
      'staged',
    );
    await client.call('startTask', { params: { id: open.id } });
    const offers = await Promise.all(
      [first, second].map((device) =>
        eventually('an offer', async () => (await device.assignment()) ?? undefined),
      ),
    );
    const [offer, other] = offers as [Assignment, Assignment];
    await second.say(other.id, 'accept');
    const update = updateFile(offer, {});
    await first.reachUpload(offer, update);
    await first.upload(offer.id, update);
    const { project } = await client.call('getOperations');
    expect(project).toMatchObject({
      rounds: { aggregating: 1 },
      assignments: { accepted: 1 },
      staged: { updates: 1, bytes: update.length },
    });
    await client.call('cancelTask', { params: { id: open.id } });
    expect((await client.call('getOperations')).project.rounds).toEqual({});
  });

  it('are for admins, who see their own project alone', async () => {
    const keyOf = (role: string) =>
      world.admin
        .post<{ secret: string }>('/v1/keys', { name: `the ${role}`, role })
        .then(({ secret }) => secret);
    const as = (key: string) => new Admin(world.server.url, key).call('GET', '/v1/operations');
    expect((await as(await keyOf('operator'))).status).toBe(403);
    expect(await as(await keyOf('admin'))).toMatchObject({ status: 200, body: { everything: null } });
  });
});

describe('an erased device', () => {
  it('is no longer known, is told that it was revoked, and leaves what it contributed without its name', async () => {
    const id = devices[1]!.deviceId as DeviceId; // the server gave it
    const params = { id };
    const before = await client.call('getRound', { params: { id: roundId } });
    const erased = await client.call('eraseDevice', { params });
    expect(erased).toMatchObject({ id, unlinked: 1 });
    expect(await client.call('getDevice', { params })).toMatchObject({
      ...{ id, publicKey: null, platform: '', sdkVersion: '', labels: {}, state: 'revoked', seenAt: null },
      erasedAt: erased.erasedAt,
    });
    expect((await client.call('listDevices', {})).items.map((device) => device.id)).not.toContain(id);
    expect((await client.call('listDeviceWork', { params })).items).toEqual([]);
    expect((await client.call('getFleet')).devices.revoked).toBe(0);
    const after = await client.call('getRound', { params: { id: roundId } });
    expect(after.funnel).toEqual(before.funnel);
    await expect(devices[1]!.openSession()).rejects.toMatchObject({ code: 'device-revoked' });
    expect(await client.call('eraseDevice', { params })).toMatchObject({
      erasedAt: erased.erasedAt,
      unlinked: 0,
    });
    const { items } = await client.call('listAudit', { query: { action: 'eraseDevice' } });
    expect(items.map(({ outcome }) => [outcome?.status, outcome?.object])).toEqual([
      [200, id],
      [200, id],
    ]);
  });

  it('forgets what it said of why it did not take part', async () => {
    const params = { id: devices[2]!.deviceId as DeviceId }; // the server gave it
    await client.call('eraseDevice', { params });
    const { funnel } = await client.call('getRound', { params: { id: roundId } });
    expect(funnel.dropped).toEqual({ declined: 1 });
  });
});

async function enrolledAndHere(token: string): Promise<RawDevice> {
  const device = await RawDevice.enrolled(world.server.url, token);
  await device.assignment();
  return device;
}

describe('a round under way', () => {
  it('counts who may be asked next and who is at work, and tells of every step of a device', async () => {
    const stream = await eventStream(world.server.url, { authorization: `Bearer ${world.admin.key}` });
    const arrivals = () => stream.events.filter(({ kind }) => kind === 'arrivals').length;
    const token = await world.admin.enrolmentToken({ part: 'three' });
    const three = await Promise.all([0, 1, 2].map(() => RawDevice.enrolled(world.server.url, token)));
    for (const device of three) await device.assignment();
    const before = (await client.call('getFleet')).devices;
    const running = await world.admin.tinyTask(
      { cohort: { goal: 2, minimum: 2, overSelection: 1, select: { part: 'three' } } },
      'two-of-three',
    );
    await client.call('startTask', { params: { id: running.id } });
    const offered = await eventually('both offers', async () => {
      const all = await Promise.all(three.map((device) => device.assignment()));
      const found = all.flatMap((offer, index) => (offer ? [{ offer, device: three[index]! }] : []));
      return found.length === 2 ? found : undefined;
    });
    const { devices: figures } = await client.call('getFleet');
    expect(before).toMatchObject({ eligible: 0, working: 0 }); // no task runs
    expect(figures).toEqual({ ...before, eligible: 1, working: 2 });
    for (const { offer, device } of offered) await device.say(offer.id, 'accept');
    const { offer, device } = offered[0]!;
    await device.say(offer.id, 'begin');
    let [heard, at] = [0, performance.now()];
    await eventually('word of all that came before, and no more', () => {
      if (arrivals() > heard) [heard, at] = [arrivals(), performance.now()];
      return Promise.resolve(heard > 0 && performance.now() - at > 1_000 ? true : undefined);
    });
    const update = updateFile(offer, { parameters: { 0: 1 } });
    await device.say(offer.id, 'ready', { digest: sha256(update), bytes: update.length });
    await eventually('word of its update', () => Promise.resolve(arrivals() > heard ? true : undefined));
    await client.call('cancelTask', { params: { id: running.id } });
    await stream.close();
  });
});
