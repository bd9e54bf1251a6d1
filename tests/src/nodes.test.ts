import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Assignment, ModelVersion, RoundDetail, Task } from '@starling/protocol';
import { startServer, type StarlingServer } from '@starling/server';
import { countsBetween, oneHot, versionsOf } from './testing/one-hot.ts';
import { TestPostgres } from './testing/postgres.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice, sha256 } from './testing/raw-device.ts';
import { ServerProcess, temporaryDirectory } from './testing/servers.ts';

/**
 * Several nodes on one PostgreSQL and one directory. Every device contributes a one-hot update of weight 1, so the
 * published version tells who was counted and how often.
 */
const postgres = await TestPostgres.start();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(async () => {
  if (typeof postgres !== 'string') await postgres.remove();
});

const deviceCount = 3;

interface Place {
  dataDirectory: string;
  databaseUrl: string;
}

async function place(): Promise<Place> {
  if (typeof postgres === 'string') throw new Error(postgres);
  const directory = await temporaryDirectory();
  cleanups.push(directory.remove);
  return { dataDirectory: directory.path, databaseUrl: await postgres.database() };
}

async function node(where: Place, pollIntervalMs: number): Promise<StarlingServer> {
  const server = await startServer({ ...where, logLevel: 'silent', pollIntervalMs });
  cleanups.push(() => server.close());
  return server;
}

describe.skipIf(typeof postgres === 'string')(
  typeof postgres === 'string' ? postgres : 'two nodes on one database',
  { timeout: 180_000 },
  () => {
    it('start at once on an empty database, with one first key between them', async () => {
      const where = await place();
      const nodes = await Promise.all([node(where, 50), node(where, 50), node(where, 50)]);
      const keys = nodes.flatMap(({ firstKey }) => firstKey ?? []);
      expect(keys).toHaveLength(1);
      for (const { url } of nodes) {
        expect((await new Admin(url, keys[0]!).call('GET', '/v1/tasks')).status).toBe(200);
      }
    });

    it('serve one round, whichever of them a device asks', async () => {
      const where = await place();
      const nodes = [await node(where, 50), await node(where, 50)];
      const { admin, devices } = await fleet(nodes[0]!);
      const task = await admin.tinyTask({ rounds: 3 });
      await admin.post(`/v1/tasks/${task.id}/start`);
      let turn = 0;
      await runDevices(admin, task, devices, () => nodes[turn++ % 2]!.url);
      const versions = await versionsOf(admin, task);
      expect(versions).toHaveLength(4);
      const counts = countsBetween(versions[0]!, versions[3]!, deviceCount);
      expect(counts.slice(0, deviceCount)).toEqual(Array(deviceCount).fill(3));
      expect(counts.slice(deviceCount).every((count) => count === 0)).toBe(true);
    });

    it('tell a device on one of them what happened on the other', async () => {
      const where = await place();
      const [here, there] = [await node(where, 50), await node(where, 50)];
      const { admin, devices } = await fleet(here);
      const [remote, ...local] = devices;
      const heard: Assignment[] = [];
      const socket = await connect(there.url, remote!, heard);
      for (const device of local) await device.assignment();
      const task = await admin.tinyTask();
      await admin.post(`/v1/tasks/${task.id}/start`);
      const offer = await eventually('an offer over the socket', () => Promise.resolve(heard[0]));
      const update = oneHot(offer, 0);
      const say = (message: object) => socket.emitWithAck('control', { assignmentId: offer.id, message });
      await say({ action: 'accept' });
      await say({ action: 'begin' });
      await say({ action: 'ready', digest: sha256(update), bytes: update.length });
      expect(heard.map(({ state }) => state)).not.toContain('grouped');
      for (const device of local) {
        const assignment = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
        await device.say(assignment.id, 'accept');
      }
      await eventually('the other node to tell of the group', () =>
        Promise.resolve(heard.find(({ state }) => state === 'grouped')),
      );
      const gone = new Promise((resolve) => socket.once('disconnect', resolve));
      await admin.post(`/v1/devices/${remote!.deviceId}/revoke`);
      await gone;
    });

    it('do not start a secure task together, and none joins one that runs it', async () => {
      const where = await place();
      const first = await node(where, 50);
      const admin = new Admin(first.url, first.firstKey ?? '');
      const task = await admin.tinyTask({
        cohort: { goal: 3, minimum: 3, overSelection: 1 },
        secure: { groupSize: { target: 3, minimum: 3 }, ring: 32 },
      });
      const second = await startServer({ ...where, logLevel: 'silent' });
      await expect(admin.post(`/v1/tasks/${task.id}/start`)).rejects.toThrow(/several nodes/);
      expect((await admin.get<Task>(`/v1/tasks/${task.id}`)).state).toBe('draft');
      await second.close();
      await admin.post(`/v1/tasks/${task.id}/start`);
      await expect(startServer({ ...where, logLevel: 'silent' })).rejects.toThrow(/cannot join/);
    });

    it('go on when the database comes back', async () => {
      const where = await place();
      const nodes = [await node(where, 50), await node(where, 50)];
      const admin = new Admin(nodes[0]!.url, nodes[0]!.firstKey ?? '');
      const task = await admin.tinyTask();
      const healths = () =>
        Promise.all(nodes.map(async ({ url }) => (await fetch(`${url}/v1/health`)).status));
      if (typeof postgres === 'string') throw new Error(postgres);
      await postgres.crash();
      expect(await healths()).toEqual([503, 503]);
      await postgres.resume();
      await eventually('both to answer', async () => (await healths()).join() === '200,200' || undefined);
      expect((await admin.get<Task>(`/v1/tasks/${task.id}`)).state).toBe('draft');
    });

    it.each([
      'round-opened',
      'devices-offered',
      'assignment-accepted:3',
      'assignment-ready:2',
      'group-formed:2',
      'upload-part-staged:1',
      'upload-verified:2',
      'upload-recorded:1',
      'upload-recorded:3',
      'round-closed',
      'version-stored',
      'round-published',
    ])('lose and double nothing when one of them is killed at %s', async (point) => {
      let killed = false;
      // The node that lives looks at rounds too; now and then it is quicker, and the other never comes to the point.
      for (let attempt = 0; attempt < 4 && !killed; attempt++) killed = await survives(point);
      expect(killed).toBe(true);
    });
  },
);

/** Runs a task on two nodes, one of which ends itself at `point`; tells whether it came to that. */
async function survives(point: string): Promise<boolean> {
  const where = await place();
  const living = await node(where, 1_500);
  const mortal = new ServerProcess(where.dataDirectory, { STARLING_DATABASE_URL: where.databaseUrl });
  cleanups.push(() => mortal.kill());
  await mortal.start(point);
  const { admin, devices } = await fleet(living);
  for (const device of devices) await Object.assign(device, { url: mortal.url }).assignment();
  const task = await admin.tinyTask();
  await new Admin(mortal.url, admin.key).post(`/v1/tasks/${task.id}/start`).catch(() => undefined);
  const acknowledged = await runDevices(admin, task, devices, () =>
    mortal.running ? mortal.url : living.url,
  );

  const { items: rounds } = await admin.get<{ items: RoundDetail[] }>(`/v1/tasks/${task.id}/rounds`);
  expect(rounds.map((round) => round.state)).toEqual(['published']);
  const { items } = await admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
  expect(items.map(({ number }) => number)).toEqual([1, 0]);
  const [before, after] = await versionsOf(admin, task);
  const counts = countsBetween(before!, after!, deviceCount);
  expect(counts.slice(0, deviceCount)).toEqual(Array(deviceCount).fill(1));
  expect(counts.slice(deviceCount).every((count) => count === 0)).toBe(true);
  // Replies may be lost with the process, as many as were on their way; what was acknowledged has to be counted.
  for (const index of acknowledged) expect(counts[index]).toBe(1);
  return !mortal.running && (await mortal.ended()) === 'SIGKILL';
}

async function fleet(server: StarlingServer): Promise<{ admin: Admin; devices: RawDevice[] }> {
  const admin = new Admin(server.url, server.firstKey ?? '');
  const token = await admin.enrolmentToken();
  const seeds = Array.from({ length: deviceCount }, (_, index) => new Uint8Array(32).fill(index + 1));
  const devices = await Promise.all(seeds.map((seed) => RawDevice.enrolled(server.url, token, seed)));
  return { admin, devices };
}

/** Lets every device go on where the server says that it stands, at a node of `url`'s choice, until the task ends. */
async function runDevices(
  admin: Admin,
  task: Task,
  devices: readonly RawDevice[],
  url: () => string,
): Promise<Set<number>> {
  const acknowledged = new Set<number>();
  let ended = false;
  const work = devices.map(async (device, index) => {
    while (!ended) {
      Object.assign(device, { url: url() });
      if (await step(device, index).catch(() => false)) acknowledged.add(index);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  });
  try {
    await eventually(
      'the task to complete',
      async () => {
        const { state } = await admin.get<Task>(`/v1/tasks/${task.id}`);
        if (state === 'draft') await admin.post(`/v1/tasks/${task.id}/start`);
        return state === 'completed' || undefined;
      },
      50_000, // less than any window of the plan: no deadline may be what takes the round on
    );
  } finally {
    ended = true;
    await Promise.all(work);
  }
  return acknowledged;
}

/** One step of a device; true when its update was acknowledged. */
async function step(device: RawDevice, index: number): Promise<boolean> {
  const assignment = await device.assignment();
  if (!assignment) return false;
  const { id, state } = assignment;
  const update = oneHot(assignment, index);
  if (state === 'offered') await device.say(id, 'accept');
  if (state === 'accepted') await device.say(id, 'begin');
  if (state === 'training') await device.say(id, 'ready', { digest: sha256(update), bytes: update.length });
  if (state !== 'grouped') return false;
  const head = await device.send('HEAD', `/v1/device/assignments/${id}/update`);
  const start = Number(head.headers.get('upload-offset'));
  const { body } = await device.part(id, update, { start, end: update.length, last: true });
  return body.state === 'uploaded';
}

async function connect(url: string, device: RawDevice, heard: Assignment[]): Promise<Socket> {
  const socket = io(`${url}/device`, { transports: ['websocket'], auth: { token: device.token } });
  cleanups.push(() => Promise.resolve(socket.disconnect()));
  socket.on('assignment', (assignment: Assignment) => heard.push(assignment));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}
