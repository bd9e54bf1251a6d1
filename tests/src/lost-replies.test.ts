import { createHash } from 'node:crypto';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpoints, type ApiKeyWithSecret, type Endpoint } from '@starling/protocol/api';
import type { Failpoint } from '@starling/server';
import { clientOf, keyOf } from './testing/client.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice, updateFile } from './testing/raw-device.ts';
import { databaseTemplate, ServerProcess, testServer, type TestServer } from './testing/servers.ts';
import { filledExample, filledPath, idleCloud, makeTenant, type Tenant } from './testing/tenants.ts';

/** Requests whose answers are lost: sent again they act once, and are answered as they were. */

let world: TestServer;
/** Where the server fails from here on, once. */
let failAt: Failpoint | undefined;
beforeAll(async () => {
  world = await testServer({
    cloud: idleCloud(),
    failpoint: (passed) => {
      if (passed !== failAt) return;
      failAt = undefined;
      throw new Error('The test lets this request fail here.');
    },
  });
});
afterAll(() => world.close());

const hasFailed = () => failAt === undefined;

const changing = Object.entries<Endpoint>(endpoints).filter(
  ([, endpoint]) => endpoint.method === 'POST' && endpoint.readOnly !== true,
);

/** What comes to the same when it is done again: their answers are stored after them, not with them. */
const repeatable = ['revokeDevice', 'closeRound', 'abortRound', 'cancelJob'];

/** What a key of a tenant has nothing for: an earlier version to go back to, and invitations. */
const refused = ['rollBackTask', 'acceptInvitation', 'declineInvitation'];

/** How often one of the audit log's operations ended well. */
async function timesDone(admin: Admin, action: string): Promise<number> {
  const { items } = await clientOf(admin).call('listAudit', { query: { action, limit: 200 } });
  return items.filter(({ outcome }) => outcome && outcome.status < 300).length;
}

/** A request of an operation in a tenant of its own. */
async function requestOf(
  name: string,
  endpoint: Endpoint,
): Promise<{ tenant: Tenant; path: string; body: object | undefined }> {
  const tenant = await makeTenant(world.admin, `lost-${name}`);
  const { ids } = tenant;
  if (name === 'startTask') ids['tsk'] = ids['second'] ?? '';
  const path = filledPath(endpoint.path, ids);
  const body =
    endpoint.example === undefined ? undefined : (JSON.parse(filledExample(endpoint.example, ids)) as object);
  return { tenant, path, body };
}

describe('a lost reply', { timeout: 120_000 }, () => {
  it.each(changing)(
    'of %s is given again, once done, and its key takes no other request',
    async (name, endpoint) => {
      const { tenant, path, body } = await requestOf(name, endpoint);
      const { keys } = tenant;
      const admin = keys.server;
      const headers = { 'idempotency-key': 'once' };
      const first = await admin.call('POST', path, body, headers);
      const again = await admin.call('POST', path, body, headers);
      expect(again).toMatchObject({ status: first.status, body: first.body });
      expect(first.status === 409 || first.status < 300, JSON.stringify(first.body)).toBe(true);
      expect(again.headers.get('idempotent-replay')).toBe('true');
      const other = await admin.call('POST', path, changed(body), headers);
      expect(other).toMatchObject({ status: 409, body: { code: 'idempotency-conflict' } });
      const log = await clientOf(admin).call('listAudit', { query: { action: name } });
      const key = await keyOf(admin);
      expect(log.items.filter(({ keyId }) => keyId === key.id)).toHaveLength(1);
      // Another key of the project does not see what this one was answered.
      const stranger = await keys.admin.call('POST', path, body, headers);
      expect(stranger.headers.get('idempotent-replay')).toBeNull();
    },
  );

  it.each(changing)(
    'of %s is not lost with an error before: it works when it is sent again',
    async (name, endpoint) => {
      const { tenant, path, body } = await requestOf(name, endpoint);
      const admin = tenant.keys.server;
      const headers = { 'idempotency-key': 'failed before' };
      failAt = 'request-claimed';
      expect((await admin.call('POST', path, body, headers)).status).toBe(500);
      expect(failAt).toBeUndefined();
      const again = await admin.call('POST', path, body, headers);
      expect(again.status === 409 || again.status < 300, JSON.stringify(again.body)).toBe(true);
      expect(again.headers.get('idempotent-replay')).toBeNull();
    },
  );

  it.each(changing)(
    'of %s is kept with the action: an error after it takes nothing back',
    async (name, endpoint) => {
      const { tenant, path, body } = await requestOf(name, endpoint);
      const admin = tenant.keys.server;
      const before = await timesDone(admin, name);
      const headers = { 'idempotency-key': 'failed after' };
      failAt = 'answer-kept';
      const first = await admin.call('POST', path, body, headers);
      const wasKept = hasFailed();
      failAt = undefined;
      expect(wasKept, 'whether the action is committed with its answer').toBe(
        ![...repeatable, ...refused].includes(name),
      );
      const again = await admin.call('POST', path, body, headers);
      if (wasKept) {
        expect(first.status).toBe(500);
        expect(again.status, JSON.stringify(again.body)).toBeLessThan(300);
        expect(again.headers.get('idempotent-replay')).toBe('true');
        expect(await timesDone(admin, name)).toBe(before); // the only one ended with 500 for its caller
        const third = await admin.call('POST', path, body, headers);
        expect(third.body).toEqual(again.body);
      } else {
        const repeated = await admin.call('POST', path, body, { 'idempotency-key': 'another' });
        expect(repeated.status).toBe(first.status);
      }
    },
  );

  it('of a device is given again, and other content under the same assignment is refused', async () => {
    const { keys } = await makeTenant(world.admin, 'lost-by-a-device');
    const token = await keys.admin.enrolmentToken({ who: 'repeater' });
    const device = await RawDevice.enrolled(world.server.url, token);
    const again = await RawDevice.enrolled(world.server.url, token, device.seed);
    expect(again.deviceId).toBe(device.deviceId);
    await device.assignment();
    const select = { who: 'repeater' };
    const task = await keys.operator.tinyTask({ cohort: { goal: 1, minimum: 1, overSelection: 1, select } });
    await keys.operator.post(`/v1/tasks/${task.id}/start`);
    const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
    const update = updateFile(offer);
    const digest = createHash('sha256').update(update).digest('hex');
    for (const [action, fields] of [
      ['accept', undefined],
      ['begin', undefined],
      ['ready', { digest, bytes: update.length }],
    ] as const) {
      const said = await device.say(offer.id, action, fields);
      const repeated = await device.say(offer.id, action, fields);
      expect({ ...repeated, remainingMs: 0 }).toEqual({ ...said, remainingMs: 0 });
    }
    await expect(
      device.say(offer.id, 'ready', { digest: 'f'.repeat(64), bytes: update.length }),
    ).rejects.toMatchObject({ code: 'update-already-received' });
    const first = await device.upload(offer.id, update);
    expect((await device.upload(offer.id, update)).body).toEqual(first.body);
  });

  it.each(['decline', 'fail'] as const)('of a device that says "%s" is given again', async (action) => {
    const { keys } = await makeTenant(world.admin, `lost-${action}`);
    const device = await RawDevice.enrolled(
      world.server.url,
      await keys.admin.enrolmentToken({ who: 'repeater' }),
    );
    await device.assignment();
    const cohort = { goal: 1, minimum: 1, overSelection: 1, select: { who: 'repeater' } };
    const task = await keys.operator.tinyTask({ cohort });
    await keys.operator.post(`/v1/tasks/${task.id}/start`);
    const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
    const said = await device.say(offer.id, action, { reason: 'no' });
    const repeated = await device.say(offer.id, action, { reason: 'no' });
    expect({ ...repeated, remainingMs: 0 }).toEqual({ ...said, remainingMs: 0 });
    const anatomy = await keys.viewer.get<{ funnel: { dropped: object }[] }>(
      `/v1/rounds/${offer.roundId}/anatomy`,
    );
    expect(JSON.stringify(anatomy.funnel).match(/"(declined|training-failed)[^"]*":1/g)).toHaveLength(1);
  });

  it('of a device over the socket is given again', async () => {
    const { keys } = await makeTenant(world.admin, 'lost-on-a-socket');
    const device = await RawDevice.enrolled(
      world.server.url,
      await keys.admin.enrolmentToken({ who: 'repeater' }),
    );
    await device.assignment();
    const cohort = { goal: 1, minimum: 1, overSelection: 1, select: { who: 'repeater' } };
    const task = await keys.operator.tinyTask({ cohort });
    await keys.operator.post(`/v1/tasks/${task.id}/start`);
    const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
    const socket = io(`${world.server.url}/device`, {
      transports: ['websocket'],
      auth: { token: device.token },
    });
    const say = (message: object) =>
      socket.timeout(10_000).emitWithAck('control', { assignmentId: offer.id, message }) as Promise<{
        assignment?: { state: string };
      }>;
    for (const [action, state] of [
      ['accept', 'training'],
      ['begin', 'training'],
    ] as const) {
      const said = await say({ action });
      const repeated = await say({ action });
      expect({ ...repeated.assignment, remainingMs: 0 }).toEqual({ ...said.assignment, remainingMs: 0 });
      expect(['accepted', state]).toContain(repeated.assignment?.state);
    }
    socket.disconnect();
  });
});

/** The same request with another, still valid, body. */
function changed(body: object | undefined): object {
  if (body === undefined) return { other: true }; // routes without a body do not read one
  const [member] = Object.entries(body).filter(([, value]) => ['string', 'number'].includes(typeof value));
  if (!member) throw new Error('The test cannot change this body.');
  const [name, value] = member as [string, string | number];
  if (name === 'version')
    return Object.fromEntries(Object.entries(body).filter(([key]) => key !== 'version'));
  if (name === 'umir') return { ...body, name: 'other' };
  if (name === 'role') return { ...body, role: 'operator' };
  return { ...body, [name]: typeof value === 'number' ? value + 1 : `${value}!` };
}

describe('a killed server', { timeout: 120_000 }, () => {
  let template: Awaited<ReturnType<typeof databaseTemplate>>;
  beforeAll(async () => {
    template = await databaseTemplate();
  });
  afterAll(() => template.remove());

  it.each([
    ['request-claimed', null],
    ['answer-kept', 'true'],
  ] as const)('at %s has made one key once it is asked for again', async (point, replay) => {
    const server = await ServerProcess.onCopyOf(template.path);
    await server.start();
    const body = { name: 'once', role: 'viewer' };
    const headers = { 'idempotency-key': 'of the killed' };
    await server.kill();
    await server.start(point);
    const admin = new Admin(server.url, template.key);
    await expect(admin.call('POST', '/v1/keys', body, headers)).rejects.toThrow();
    expect(await server.ended()).toBe('SIGKILL');
    await server.start();
    const again = await admin.call('POST', '/v1/keys', body, headers);
    expect(again.status, JSON.stringify(again.body)).toBe(201);
    expect(again.headers.get('idempotent-replay')).toBe(replay);
    expect((await admin.call('POST', '/v1/keys', body, headers)).body).toEqual(again.body);
    const made = new Admin(server.url, (again.body as ApiKeyWithSecret).secret);
    expect((await made.call('GET', '/v1/tasks')).status).toBe(200);
    const { items } = await clientOf(admin).call('listKeys');
    expect(items.filter(({ name }) => name === 'once')).toHaveLength(1);
    await server.kill();
    await server.remove();
  });
});
