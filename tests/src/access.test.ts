import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProblemError } from '@starling/protocol';
import { endpoints } from '@starling/protocol/api';
import { clientOf, keyOf } from './testing/client.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';
import { idleCloud, makeTenant, type Tenant } from './testing/tenants.ts';

let world: TestServer;
let tenant: Tenant;
beforeAll(async () => {
  world = await testServer({ cloud: idleCloud() });
  tenant = await makeTenant(world.admin, 'tenant');
});
afterAll(() => world.close());

const withSecret = (secret: string) => new Admin(world.server.url, secret);

describe('an API key', () => {
  it('says which it is, and has no secret in any answer but the one that made it', async () => {
    const { key, project } = await clientOf(tenant.keys.operator).call('getCaller');
    expect(key).toMatchObject({ name: 'operator', role: 'operator', revokedAt: null });
    expect(project).toMatchObject({ id: tenant.project, name: 'tenant' });
    const listed = JSON.stringify((await tenant.keys.admin.call('GET', '/v1/keys')).body);
    for (const { key: secret } of Object.values(tenant.keys)) expect(listed).not.toContain(secret);
    expect(listed).not.toContain('hash');
  });

  it('gives nobody more than the one who makes or changes it has', async () => {
    const admin = clientOf(tenant.keys.admin);
    await expect(admin.call('createKey', { body: { name: 'root', role: 'server' } })).rejects.toMatchObject({
      code: 'forbidden',
    });
    const server = await keyOf(tenant.keys.server);
    for (const operation of ['rotateKey', 'revokeKey'] as const) {
      await expect(admin.call(operation, { params: { id: server.id } })).rejects.toMatchObject({
        code: 'forbidden',
      });
    }
  });

  it('is good until it expires', async () => {
    const make = (expiresInMs: number) =>
      clientOf(tenant.keys.admin).call('createKey', { body: { name: 'brief', role: 'viewer', expiresInMs } });
    const long = await make(3_600_000);
    expect((await withSecret(long.secret).call('GET', '/v1/tasks')).status).toBe(200);
    const brief = await make(1000);
    const refused = await eventually('the key to expire', async () => {
      const answer = await withSecret(brief.secret).call('GET', '/v1/tasks');
      return answer.status === 200 ? undefined : answer;
    });
    expect(refused).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });

  it('keeps its old secret for the overlap of a rotation and no longer', async () => {
    const admin = clientOf(tenant.keys.admin);
    const made = await admin.call('createKey', { body: { name: 'rotated', role: 'viewer' } });
    const params = { id: made.id };
    const second = await admin.call('rotateKey', { params, body: { overlapMs: 60_000 } });
    expect(second.id).toBe(made.id);
    for (const secret of [made.secret, second.secret]) {
      expect((await withSecret(secret).call('GET', '/v1/tasks')).status).toBe(200);
    }
    const third = await admin.call('rotateKey', { params, body: { overlapMs: 0 } });
    for (const [secret, status] of [
      [made.secret, 401],
      [second.secret, 401],
      [third.secret, 200],
    ] as const) {
      expect((await withSecret(secret).call('GET', '/v1/tasks')).status).toBe(status);
    }
  });

  it('is out at once when it is revoked, with its live connections, and cannot revoke itself', async () => {
    const admin = clientOf(tenant.keys.admin);
    const made = await admin.call('createKey', { body: { name: 'watcher', role: 'viewer' } });
    const socket = io(`${world.server.url}/admin`, {
      transports: ['websocket'],
      auth: { token: made.secret },
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    const follows = await fetch(`${world.server.url}/v1/events`, {
      headers: { authorization: `Bearer ${made.secret}` },
    });
    const followed = follows.text();
    await admin.call('revokeKey', { params: { id: made.id } });
    await closed;
    socket.disconnect();
    expect(await followed).toContain('live events'); // and then it ended
    expect((await withSecret(made.secret).call('GET', '/v1/tasks')).status).toBe(401);
    const key = await keyOf(tenant.keys.admin);
    await expect(admin.call('revokeKey', { params: { id: key.id } })).rejects.toMatchObject({
      code: 'illegal-transition',
    });
  });
});

describe('the audit log over REST', () => {
  it('says who asked for what and what came of it, refused or not, and never a secret', async () => {
    const { admin, viewer } = tenant.keys;
    const made = await clientOf(admin).call('createKey', { body: { name: 'audited', role: 'viewer' } });
    await admin.call('POST', `/v1/tasks/tsk_${'Z'.repeat(22)}/start`);
    const client = clientOf(viewer);
    const { items } = await client.call('listAudit', { query: { object: made.id } });
    const key = await keyOf(admin);
    expect(items).toMatchObject([
      { keyId: key.id, action: 'createKey', from: '127.0.0.1', outcome: { status: 201, object: made.id } },
    ]);
    const failed = await client.call('listAudit', { query: { action: 'startTask', key: key.id } });
    expect(failed.items[0]).toMatchObject({ outcome: { status: 404 } });
    const all = JSON.stringify(await client.call('listAudit', { query: { limit: 200 } }));
    expect(all).not.toContain(made.secret);
    expect(await client.call('verifyAudit')).toMatchObject({ intact: true });
  });

  it('says who was refused, reads too, and so often that nobody floods it', async () => {
    const made = await clientOf(tenant.keys.admin).call('createKey', {
      body: { name: 'curious', role: 'viewer' },
    });
    const curious = withSecret(made.secret);
    for (let attempt = 0; attempt < 60; attempt++) {
      expect((await curious.call('GET', '/v1/keys')).status).toBe(403);
    }
    const query = { key: made.id, limit: 200 };
    const { items } = await clientOf(tenant.keys.viewer).call('listAudit', { query });
    expect(items[0]).toMatchObject({ action: 'listKeys', keyId: made.id, outcome: { status: 403 } });
    expect(items.length).toBeGreaterThan(10);
    expect(items.length).toBeLessThan(55);
    expect(await clientOf(tenant.keys.viewer).call('verifyAudit')).toMatchObject({ intact: true });
  });

  it('pages through everything once, within the times asked for', async () => {
    const client = clientOf(tenant.keys.viewer);
    const sequences: number[] = [];
    let cursor: string | undefined;
    const until = new Date().toISOString();
    do {
      const page = await client.call('listAudit', {
        query: { limit: 3, until, ...(cursor !== undefined && { cursor }) },
      });
      sequences.push(...page.items.map(({ sequence }) => sequence));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(sequences.length).toBeGreaterThan(3);
    expect(sequences).toEqual([...new Set(sequences)].sort((left, right) => right - left));
    const none = await client.call('listAudit', { query: { since: '2999-01-01T00:00:00Z' } });
    expect(none.items).toEqual([]);
  });

  it('refuses times and cursors that are none', async () => {
    const madeUp = Buffer.from(JSON.stringify(['nonsense', 'x'])).toString('base64url');
    for (const path of [
      '/v1/audit?since=yesterday',
      '/v1/audit?until=2026-99-99T00:00:00Z',
      `/v1/audit?cursor=${madeUp}`,
      `/v1/keys?cursor=${madeUp}`,
    ]) {
      const answer = await tenant.keys.admin.call('GET', path);
      expect(answer, path).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    }
  });
});

describe('a server behind a proxy, with narrow limits', () => {
  const rate = (burst: number) => ({ burst, perSecond: 0.01 });
  let narrow: TestServer;
  beforeAll(async () => {
    narrow = await testServer({
      behindTls: true,
      rates: {
        refused: rate(2),
        key: rate(40),
        device: rate(3),
        deviceBytes: rate(2000),
        enrolment: rate(3),
        challenge: rate(4),
      },
    });
  });
  afterAll(() => narrow.close());

  it('says that TLS is needed, and takes the address from the proxy', async () => {
    const forged = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' };
    const answer = await narrow.admin.call('POST', '/v1/enrolment-tokens', {}, forged);
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=31536000');
    const { items } = await clientOf(narrow.admin).call('listAudit');
    expect(items[0]?.from).toBe('203.0.113.9'); // the proxy's word, not what the caller wrote before it
    await world.admin.call('POST', '/v1/enrolment-tokens', {}, forged);
    expect((await clientOf(world.admin).call('listAudit')).items[0]?.from).toBe('127.0.0.1');
  });

  it('refuses with 429 and says when to come back, for each kind of limit', async () => {
    const { url } = narrow.server;
    const token = await narrow.admin.enrolmentToken();
    const device = await RawDevice.enrolled(url, token);
    const other = await RawDevice.enrolled(url, token);
    const heavy = await RawDevice.enrolled(url, token);
    await expect(RawDevice.enrolled(url, token)).rejects.toMatchObject({ code: 'rate-limited' });
    for (let index = 0; index < 3; index++) await device.assignment();
    const refused = await device.send('GET', '/v1/device/assignment');
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate-limited' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await other.assignment(); // others are not affected
    await other.openSession();
    await expect(other.openSession()).rejects.toMatchObject({ code: 'rate-limited' });
    const id = `asg_${'A'.repeat(22)}`;
    expect((await heavy.upload(id, new Uint8Array(1500))).status).toBe(404);
    expect((await heavy.upload(id, new Uint8Array(1500))).status).toBe(429);
    const stranger = new Admin(url, `sk_${'A'.repeat(43)}`);
    const statuses = [];
    for (let index = 0; index < 3; index++) statuses.push((await stranger.call('GET', '/v1/tasks')).status);
    expect(statuses).toEqual([401, 401, 429]);
    const limited = await eventually('the key to be limited', async () => {
      const answer = await narrow.admin.call('GET', '/v1/tasks');
      return answer.status === 429 ? answer : undefined;
    });
    expect(ProblemError.from(limited.body, 429).extra.retryAfterMs).toBeGreaterThan(0);
  });
});

describe('every answer', () => {
  it('is kept from being run, framed, guessed at or told to others', async () => {
    for (const [path, status] of [
      ['/healthz', 200],
      ['/readyz', 200],
      ['/v1/health', 200],
      ['/v1/tasks', 401],
      ['/nowhere', 404],
      ['/reference', 200],
      ['/openapi.json', 200],
    ] as const) {
      const answer = await fetch(`${world.server.url}${path}`);
      expect(answer.status, path).toBe(status);
      expect(answer.headers.get('content-security-policy'), path).toContain("default-src 'none'");
      expect(answer.headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(answer.headers.get('referrer-policy'), path).toBe('no-referrer');
      expect(answer.headers.get('cache-control'), path).toBe('no-store');
      expect(answer.headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
      expect(answer.headers.get('strict-transport-security'), path).toBeNull();
      if (status >= 400) expect(answer.headers.get('content-type')).toContain('application/problem+json');
      await answer.body?.cancel();
    }
  });

  it(
    'lets pages of other origins be devices if they are listed, and nothing else',
    { timeout: 120_000 },
    async () => {
      const listed = await testServer({ corsOrigin: ['https://app.example'] });
      const allowed = async (method: string, path: string, origin: string, preflightOf?: string) => {
        const answer = await fetch(`${listed.server.url}${path}`, {
          method,
          headers: {
            origin,
            authorization: `Bearer ${listed.admin.key}`,
            ...(preflightOf !== undefined && { 'access-control-request-method': preflightOf }),
          },
        });
        await answer.body?.cancel();
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
        return answer.headers.get('access-control-allow-origin');
      };
      const app = 'https://app.example';
      const blob = `/v1/blobs/${'a'.repeat(64)}`;
      for (const [method, path] of [
        ['POST', '/v1/devices'],
        ['POST', '/v1/device/session'],
        ['PATCH', `/v1/device/assignments/asg_${'A'.repeat(22)}/update`],
        ['GET', blob],
      ] as const) {
        expect(await allowed('OPTIONS', path, app, method), path).toBe(app);
        expect(await allowed('OPTIONS', path, 'https://evil.example', method), path).toBeNull();
      }
      expect(await allowed('GET', blob, app)).toBe(app);
      for (const [method, path] of [
        ['GET', '/v1/devices'],
        ['GET', '/v1/session'],
        ['POST', '/v1/session'],
        ['POST', '/v1/keys'],
        ['GET', '/v1/caller'],
      ] as const) {
        expect(await allowed('OPTIONS', path, app, method), path).toBeNull();
        if (method === 'GET') expect(await allowed(method, path, app), path).toBeNull();
      }
      await listed.close();
    },
  );

  it('comes before a body above the limit is read', async () => {
    const huge = JSON.stringify({ name: 'x'.repeat(300 * 1024) });
    expect(await world.admin.call('POST', '/v1/projects', huge)).toMatchObject({
      status: 413,
      body: { code: 'payload-too-large' },
    });
  });
});

describe('the reference page', () => {
  it('shows every operation, without script or foreign asset', async () => {
    const page = await (await fetch(`${world.server.url}/reference`)).text();
    for (const operation of Object.keys(endpoints)) expect(page).toContain(`id="${operation}"`);
    expect(page).not.toMatch(/<script|src=|https?:\/\//);
    const policy = (await fetch(`${world.server.url}/reference`)).headers.get('content-security-policy');
    expect(policy).not.toContain('unsafe');
  });
});
