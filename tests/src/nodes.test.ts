import { io, type Socket } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import {
  toBase64Url,
  utf8Encode,
  type Assignment,
  type ChallengeAnswer,
  type GroupMail,
  type LiveEvent,
  type Plan,
  type Task,
} from '@starling/protocol';
import type { ApiKeyWithSecret } from '@starling/protocol/api';
import { identityFromSeed, sign } from '@starling/secure';
import { startServer, type StarlingServer } from '@starling/server';
import { openPostgres, type StoragePlace } from '@starling/server/storage';
import { eventStream } from './testing/event-stream.ts';
import { knownFleet } from './testing/known-device.ts';
import { countsBetween, oneHot, versionsOf } from './testing/one-hot.ts';
import { postgresFile } from './testing/postgres-file.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice, sha256 } from './testing/raw-device.ts';
import { slowPart } from './testing/slow-part.ts';
import { completed, devicesIn, runTask, weightsOf } from './testing/tasks.ts';

/**
 * Several nodes on one PostgreSQL and one directory. Every device contributes a one-hot update of weight 1, so the
 * published version tells who was counted and how often.
 */
const postgres = await postgresFile();
const { cleanups } = postgres;

const deviceCount = 3;

async function node(where: StoragePlace, pollIntervalMs: number): Promise<StarlingServer> {
  const server = await startServer({ ...where, logLevel: 'silent', pollIntervalMs });
  cleanups.push(() => server.close());
  return server;
}

describe.skipIf(postgres.missing !== undefined)(
  postgres.missing ?? 'two nodes on one database',
  { timeout: 180_000 },
  () => {
    it('start at once on an empty database, with one first key between them', async () => {
      const where = await postgres.place();
      const nodes = await Promise.all([node(where, 50), node(where, 50), node(where, 50)]);
      const keys = nodes.flatMap(({ firstKey }) => firstKey ?? []);
      expect(keys).toHaveLength(1);
      for (const { url } of nodes) {
        expect((await new Admin(url, keys[0]!).call('GET', '/v1/tasks')).status).toBe(200);
      }
    });

    it('serve one round, whichever of them a device asks', async () => {
      const where = await postgres.place();
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
      const where = await postgres.place();
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

    it.each([
      ['hear of it over a socket', true],
      ['only ask', false],
    ])(
      'sum under masks what devices say to another node with every request, when they %s',
      async (_, hasSocket) => {
        const where = await postgres.place();
        const nodes = [await node(where, 50), await node(where, 50), await node(where, 50)];
        const admin = new Admin(nodes[0]!.url, nodes[0]!.firstKey ?? '');
        let turn = 0;
        const asked = new Set<string>();
        const fleet = await knownFleet(nodes[1]!.url, await admin.enrolmentToken(), 6, {
          hasSocket,
          nodeFor: (path) => {
            const { url } = nodes[turn++ % nodes.length]!;
            if (/groups|update/.test(path)) asked.add(url);
            return url;
          },
        });
        cleanups.push(fleet.close);
        for (const { device } of fleet.devices) await device.start();
        const cohort = { goal: 6, minimum: 6, overSelection: 1 };
        const secure: Plan['secure'] = { groupSize: { target: 3, minimum: 3 }, ring: 32 };
        const task = await runTask(admin, { rounds: 2, cohort, secure });
        const rounds = await completed(admin, task, 90_000);
        expect(rounds.map(({ state }) => state)).toEqual(['published', 'published']);
        expect(rounds.map(devicesIn)).toEqual([6, 6]);
        expect(asked.size).toBe(3);
        const errors = fleet.devices.flatMap((device) => device.errors);
        expect(errors.filter(({ message }) => !message.includes('no live connection'))).toEqual([]);
        const clear = await runTask(admin, { rounds: 2, cohort });
        await completed(admin, clear, 90_000);
        expect(await weightsOf(admin, task)).toEqual(await weightsOf(admin, clear));
      },
    );

    it('answer for a secure group at every node, and to its members alone', async () => {
      const where = await postgres.place();
      const nodes = [await node(where, 50), await node(where, 50)];
      const { admin, devices } = await fleet(nodes[0]!);
      for (const device of devices) await device.assignment();
      const secure: Plan['secure'] = { groupSize: { target: 3, minimum: 3 }, ring: 32 };
      await runTask(admin, { secure });
      const stranger = await RawDevice.enrolled(nodes[1]!.url, await admin.enrolmentToken());
      let id: string | undefined;
      for (const device of devices) {
        const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
        for (const word of ['accept', 'begin', 'ready']) await device.say(offer.id, word);
      }
      const mails = [];
      for (const { url } of nodes) {
        const [device] = devices;
        Object.assign(device!, { url });
        id ??= (await device!.assignment())?.secure?.groupId ?? undefined;
        mails.push(await device!.ok<GroupMail>('GET', `/v1/device/groups/${id}`));
        const path = `/v1/device/groups/${id}/messages`;
        const type = { 'content-type': 'application/octet-stream' };
        const refused = await device!.send('POST', path, new Uint8Array([1, 2, 3]), type);
        expect(refused).toMatchObject({ status: 422, body: { code: 'group-message-refused' } });
        Object.assign(stranger, { url });
        expect((await stranger.send('GET', `/v1/device/groups/${id}`)).status).toBe(404);
        expect((await stranger.send('POST', path, new Uint8Array([1, 2, 3]), type)).status).toBe(404);
      }
      expect(mails[0]!.messages).toHaveLength(1);
      expect(mails[1]!.messages).toEqual(mails[0]!.messages);
    });

    it('tell who watches at one of them what happens at the other, once, until their key ends', async () => {
      const where = await postgres.place();
      const [here, there] = [await node(where, 50), await node(where, 50)];
      const admin = new Admin(here.url, here.firstKey ?? '');
      const key = await admin.post<ApiKeyWithSecret>('/v1/keys', { name: 'watcher', role: 'viewer' });
      const stream = await eventStream(there.url, { authorization: `Bearer ${key.secret}` });
      const own = await eventStream(here.url, { authorization: `Bearer ${key.secret}` });
      cleanups.push(
        () => stream.close(),
        () => own.close(),
      );
      const socket = io(`${there.url}/admin`, { transports: ['websocket'], auth: { token: key.secret } });
      cleanups.push(() => Promise.resolve(socket.disconnect()));
      const heard: LiveEvent[] = [];
      socket.on('event', (event: LiveEvent) => heard.push(event));
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      const task = await runTask(admin, {});
      await admin.post(`/v1/tasks/${task.id}/cancel`);
      await eventually('the end of the task to be told', () =>
        Promise.resolve(
          own.events.some((event) => event.kind === 'task' && event.task.state === 'cancelled') || undefined,
        ),
      );
      for (const told of [stream.events, heard]) {
        await eventually('the other node to tell as much', () =>
          Promise.resolve(told.length >= own.events.length || undefined),
        );
        expect(told).toEqual(own.events);
      }
      const gone = new Promise((resolve) => socket.once('disconnect', resolve));
      await admin.post(`/v1/keys/${key.id}/revoke`);
      await Promise.all([stream.ended, own.ended, gone]);
    });

    it('let one of them write an upload at a time, however often its parts are sent', async () => {
      const where = await postgres.place();
      const nodes = [await node(where, 50), await node(where, 50)];
      const { admin, devices } = await fleet(nodes[0]!);
      const [device, ...others] = devices;
      const task = await admin.tinyTask();
      for (const one of devices) await one.assignment();
      await admin.post(`/v1/tasks/${task.id}/start`);
      const offer = await eventually('an offer', async () => (await device!.assignment()) ?? undefined);
      for (const other of others) {
        const { id } = (await other.assignment())!;
        await other.say(id, 'accept');
      }
      const update = oneHot(offer, 0);
      await device!.reachUpload(offer, update);
      const slow = slowPart(nodes[0]!.url, device!, offer.id, update);
      Object.assign(device!, { url: nodes[1]!.url });
      const database = await openPostgres(where.databaseUrl);
      cleanups.push(() => database.close());
      await eventually(
        'the other node to write',
        async () => (await database.query('select from upload_writers'))[0],
      );
      const half = update.length >> 1;
      const range = { start: half, end: update.length, last: true };
      const meanwhile = await device!.part(offer.id, update, range);
      expect(meanwhile).toMatchObject({ status: 409, body: { code: 'upload-busy' } });
      await slow.breakOff();
      const after = await eventually('the node to let go', async () => {
        const answer = await device!.part(offer.id, update, range);
        return answer.status === 200 ? answer : undefined;
      });
      expect(after.body.state).toBe('uploaded');
    });

    it('answer a project whose rounds are free while those of another are held', async () => {
      const where = await postgres.place();
      const server = await node(where, 60_000);
      const database = await openPostgres(where.databaseUrl);
      cleanups.push(() => database.close());
      const first = new Admin(server.url, server.firstKey ?? '');
      const { id } = await first.post<{ id: string }>('/v1/projects', { name: 'another' });
      const cohort = { goal: 1, minimum: 1, overSelection: 1 };
      const [held, free] = await Promise.all(
        [first, new Admin(server.url, first.key, id)].map(async (admin) => {
          const device = await RawDevice.enrolled(server.url, await admin.enrolmentToken());
          await device.assignment();
          await runTask(admin, { cohort });
          const assignment = await eventually(
            'an offer',
            async () => (await device.assignment()) ?? undefined,
          );
          return { device, assignment, update: oneHot(assignment, 0) };
        }),
      );
      const goOn = async ({ device, assignment, update }: NonNullable<typeof held>) => {
        await device.goOn((await device.assignment()) ?? assignment, update);
      };
      for (const state of ['offered', 'accepted', 'training', 'grouped']) {
        expect((await free!.device.assignment())?.state).toBe(state);
        let waiting: Promise<void> | undefined;
        await database.tx(async (tx) => {
          await tx.query('select 1 from rounds where id = $1 for update', [held!.assignment.roundId]);
          waiting = goOn(held!);
          await eventually('the one to wait', async () => {
            const locked = await database.query(
              "select 1 from pg_stat_activity where wait_event_type = 'Lock'",
            );
            return locked.length > 0 || undefined;
          });
          await goOn(free!);
        });
        await waiting;
      }
      expect(await free!.device.assignment()).toBeNull();
    });

    it('take a sign-in challenge once between them', async () => {
      const where = await postgres.place();
      const nodes = [await node(where, 50), await node(where, 50)];
      const { devices } = await fleet(nodes[0]!);
      const { deviceId, seed } = devices[0]!;
      const { challenge } = await devices[0]!.ok<ChallengeAnswer>('POST', '/v1/device/challenge', {
        deviceId,
      });
      const signature = toBase64Url(sign(identityFromSeed(seed), 'session', utf8Encode(challenge)));
      const answers = await Promise.all(
        [...nodes, ...nodes].map(({ url }) =>
          new RawDevice(url).send('POST', '/v1/device/session', { deviceId, challenge, signature }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
    });

    it('go on when the database comes back', async () => {
      const where = await postgres.place();
      const nodes = [await node(where, 50), await node(where, 50)];
      const admin = new Admin(nodes[0]!.url, nodes[0]!.firstKey ?? '');
      const task = await admin.tinyTask();
      const healths = () =>
        Promise.all(nodes.map(async ({ url }) => (await fetch(`${url}/v1/health`)).status));
      await postgres.server().crash();
      expect(await healths()).toEqual([503, 503]);
      await postgres.server().resume();
      await eventually('both to answer', async () => (await healths()).join() === '200,200' || undefined);
      expect((await admin.get<Task>(`/v1/tasks/${task.id}`)).state).toBe('draft');
    });
  },
);

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
      const assignment = await device.assignment().catch(() => null);
      const step = assignment && device.goOn(assignment, oneHot(assignment, index));
      if (await step?.catch(() => false)) acknowledged.add(index);
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
