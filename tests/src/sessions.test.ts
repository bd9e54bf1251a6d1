import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type Project } from '@starling/protocol/api';
import { BrowserTab } from './testing/browser-tab.ts';
import { clientOf } from './testing/client.ts';
import { eventStream } from './testing/event-stream.ts';
import { eventually } from './testing/project.ts';
import { testServer, type TestServer } from './testing/servers.ts';

let world: TestServer;
let tab: BrowserTab;
beforeAll(async () => {
  world = await testServer();
  tab = new BrowserTab(world.server.url);
  await tab.signIn(world.admin.key);
});
afterAll(() => world.close());

const newTab = () => new BrowserTab(world.server.url);
const newKey = (role: 'viewer' | 'admin') =>
  clientOf(world.admin).call('createKey', { body: { name: `${role} in a browser`, role } });

describe('a session of a browser', () => {
  it('is opened with an API key and says what the page may know', async () => {
    const own = newTab();
    const key = await newKey('viewer');
    const opened = await own.signIn(key.secret);
    expect(opened).toMatchObject({ role: 'viewer', name: key.name, project: { name: 'default' } });
    expect(Date.parse(opened.expiresAt)).toBeGreaterThan(Date.now());
    expect(await own.session()).toEqual(opened);
    expect(JSON.stringify(opened)).not.toContain(key.secret);
    const caller = await own.send('GET', '/v1/caller');
    expect(caller.body).toMatchObject({ key: { id: key.id }, person: null, role: 'viewer' });
  });

  it('has a cookie that no script reads and no other site sends', () => {
    const [line = ''] = tab.setCookies;
    expect(line).toMatch(/^starling-session=[\w-]{43};/);
    expect(line).toMatch(/; HttpOnly/);
    expect(line).toMatch(/; SameSite=Strict/);
    expect(line).toMatch(/; Path=\//);
    expect(line).not.toMatch(/Secure|Domain|Expires/);
  });

  it('behind TLS has a cookie of this host alone, and knows its pages by the forwarded host', async () => {
    const secure = await testServer({ behindTls: true });
    const proxied = new BrowserTab(secure.server.url);
    const forwarded = { origin: 'https://fl.example.com', 'x-forwarded-host': 'fl.example.com' };
    const answer = await proxied.send('POST', '/v1/session', { key: secure.admin.key }, forwarded);
    expect(answer.status).toBe(201);
    expect(proxied.setCookies[0]).toMatch(/^__Host-starling-session=[\w-]{43};.*; Secure/);
    const plain = await proxied.send('POST', '/v1/session', { key: secure.admin.key });
    expect(plain).toMatchObject({ status: 403, body: { code: 'csrf' } });
    await secure.close();
  });

  it('is refused for a wrong key, and counts it against the address', async () => {
    const narrow = await testServer({ rates: { refused: { burst: 2, perSecond: 0.01 } } });
    const statuses = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await new BrowserTab(narrow.server.url).send('POST', '/v1/session', { key: 'sk_guess' });
      expect(answer.headers.getSetCookie()).toEqual([]);
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([401, 401, 429]);
    await narrow.close();
  });

  it('takes on no secret that was there before signing in', async () => {
    const victim = newTab();
    victim.keepCookie('starling-session', 'F'.repeat(43));
    await victim.signIn(world.admin.key);
    expect(victim.cookies).not.toContain('F'.repeat(43));
    const first = newTab();
    first.keepCookie('starling-session', victim.cookies.slice('starling-session='.length));
    expect((await first.send('GET', '/v1/session')).status).toBe(200);
    await victim.signIn(world.admin.key);
    expect((await first.send('GET', '/v1/session')).status).toBe(401); // signing in again ended what was before
  });

  it('ends when it is told to, and takes its cookie away', async () => {
    const own = newTab();
    await own.signIn(world.admin.key);
    const thief = newTab();
    thief.keepCookie('starling-session', own.cookies.slice('starling-session='.length));
    expect((await own.send('DELETE', '/v1/session')).status).toBe(204);
    expect(own.cookies).toBe('');
    expect((await thief.send('GET', '/v1/session')).status).toBe(401);
  });

  it('ends with its streams of events when it is signed out of, and no other session does', async () => {
    const key = await newKey('viewer');
    const tabs = [newTab(), newTab()];
    for (const each of tabs) await each.signIn(key.secret);
    const [left, stays] = await Promise.all(
      tabs.map(({ cookies }) => eventStream(world.server.url, { cookie: cookies })),
    );
    await tabs[0]?.send('DELETE', '/v1/session');
    await left?.ended;
    await world.admin.post(`/v1/tasks/${(await world.admin.tinyTask()).id}/cancel`);
    await eventually('the other stream to go on', () =>
      Promise.resolve(stays && stays.events.length > 0 ? true : undefined),
    );
    await stays?.close();
  });

  it('ends, the oldest first, where its owner has more than 32', async () => {
    const key = await newKey('viewer');
    const tabs = Array.from({ length: 34 }, newTab);
    for (const each of tabs.slice(0, 32)) await each.signIn(key.secret);
    const stream = await eventStream(world.server.url, { cookie: tabs[0]?.cookies ?? '' });
    for (const each of tabs.slice(32)) await each.signIn(key.secret);
    await stream.ended;
    const statuses = await Promise.all(
      tabs.map(async (each) => (await each.send('GET', '/v1/session')).status),
    );
    expect(statuses).toEqual([401, 401, ...Array<number>(32).fill(200)]);
  });

  it('ends with its key, and with the secret that opened it', async () => {
    const admin = clientOf(world.admin);
    const revoked = await newKey('viewer');
    const rotated = await newKey('viewer');
    const [ofRevoked, ofRotated] = [newTab(), newTab()];
    await ofRevoked.signIn(revoked.secret);
    await ofRotated.signIn(rotated.secret);
    await admin.call('revokeKey', { params: { id: revoked.id } });
    await admin.call('rotateKey', { params: { id: rotated.id }, body: { overlapMs: 60_000 } });
    expect((await ofRevoked.send('GET', '/v1/session')).status).toBe(401);
    expect((await ofRotated.send('GET', '/v1/session')).status).toBe(200);
    await admin.call('rotateKey', { params: { id: rotated.id }, body: { overlapMs: 0 } });
    expect((await ofRotated.send('GET', '/v1/session')).status).toBe(401);
  });

  it('acts in another project when asked to, as far as its key reaches', async () => {
    const project = await clientOf(world.admin).call('createProject', { body: { name: 'elsewhere' } });
    const own = newTab();
    const home = await own.signIn(world.admin.key);
    const moved = await own.send('PUT', '/v1/session/project', { project: project.id });
    expect(moved).toMatchObject({ status: 200, body: { project: { id: project.id }, role: 'server' } });
    expect((await own.session()).project.id).toBe(project.id);
    const here = await own.send('GET', '/v1/caller', undefined, { 'starling-project': home.project.id });
    expect(here.body).toMatchObject({ project: { id: home.project.id } });
    const viewer = newTab();
    await viewer.signIn((await newKey('viewer')).secret);
    expect(await viewer.send('PUT', '/v1/session/project', { project: project.id })).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
  });

  it('is in the audit log, with what it did', async () => {
    const key = await newKey('admin');
    const own = newTab();
    await own.signIn(key.secret);
    await own.send('POST', '/v1/enrolment-tokens', {});
    await own.send('DELETE', '/v1/session');
    const { items } = await clientOf(world.admin).call('listAudit', { query: { key: key.id } });
    expect(items.map(({ action, outcome }) => [action, outcome?.status])).toEqual([
      ['endSession', 204],
      ['createEnrolmentToken', 201],
      ['openSession', 201],
    ]);
    expect(await clientOf(world.admin).call('verifyAudit')).toMatchObject({ intact: true });
  });
});

describe('a request by cookie', () => {
  const create = (headers: Record<string, string>, from = tab) =>
    from.send('POST', '/v1/projects', { name: 'by cookie' }, headers);
  const projects = async () => (await clientOf(world.admin).call('listProjects')).items.length;

  it('reads without more, and changes something only with token and origin', async () => {
    expect((await tab.send('GET', '/v1/tasks')).status).toBe(200);
    const before = await projects();
    const other = newTab();
    await other.signIn(world.admin.key);
    for (const headers of [
      { 'x-starling-csrf': '' },
      { 'x-starling-csrf': 'guess' },
      { 'x-starling-csrf': other.csrf ?? '' },
      { origin: '' },
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: world.server.url.replace(/\d+$/, '1') },
      { origin: `${world.server.url}.evil.example` },
    ]) {
      expect(await create(headers as Record<string, string>), JSON.stringify(headers)).toMatchObject({
        status: 403,
        body: { code: 'csrf' },
      });
    }
    expect(await projects()).toBe(before);
    expect((await create({})).status).toBe(201);
    for (const [method, path] of [
      ['DELETE', '/v1/session'],
      ['PUT', '/v1/session/project'],
    ] as const) {
      const body = method === 'PUT' ? { project: `prj_${'A'.repeat(22)}` } : undefined;
      const bare = newTab();
      await bare.signIn(world.admin.key);
      const refused = await bare.send(method, path, body, { origin: 'https://evil.example' });
      expect(refused, path).toMatchObject({ status: 403, body: { code: 'csrf' } });
    }
    expect((await tab.send('GET', '/v1/session')).status).toBe(200);
  });

  it('is not needed beside a key: a key stands above it', async () => {
    const viewer = await newKey('viewer');
    const answer = await create({ authorization: `Bearer ${viewer.secret}` });
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('is answered again when its reply was lost, in the same session', async () => {
    const headers = { 'idempotency-key': 'lost' };
    const first = await create(headers);
    const again = await create(headers);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotent-replay')).toBe('true');
  });

  it('works through the typed client, which sends the token', async () => {
    const { csrf } = await tab.session();
    const client = createClient({
      url: world.server.url,
      csrf,
      newKey: () => 'of the client',
      http: (url, request) =>
        fetch(url, {
          ...request,
          headers: { ...request.headers, cookie: tab.cookies, origin: tab.origin },
        }),
    });
    const made: Project = await client.call('createProject', { body: { name: 'typed' } });
    expect(made.name).toBe('typed');
  });

  it('reads blobs of its project', async () => {
    const task = await world.admin.tinyTask();
    const version = await world.admin.get<{ weights: string }>(`/v1/versions/${task.currentVersion}`);
    expect((await tab.send('GET', `/v1/blobs/${version.weights}`)).status).toBe(200);
    expect((await newTab().send('GET', `/v1/blobs/${version.weights}`)).status).toBe(401);
  });
});

describe('live events in a browser', () => {
  const connected = (headers: Record<string, string>, url = world.server.url) =>
    new Promise<{ socket: Socket; refused?: unknown }>((resolve) => {
      const socket = io(`${url}/admin`, {
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        extraHeaders: headers,
      });
      socket.once('connect', () => {
        resolve({ socket });
      });
      socket.once('connect_error', (error) => {
        resolve({ socket, refused: (error as Error & { data?: unknown }).data });
      });
    });

  it('come over the socket to pages of this server only, and end with the key', async () => {
    const key = await newKey('viewer');
    const own = newTab();
    await own.signIn(key.secret);
    const foreign = await connected({ cookie: own.cookies, origin: 'https://evil.example' });
    expect(foreign.refused).toMatchObject({ problem: { code: 'csrf' } });
    foreign.socket.disconnect();
    const { socket, refused } = await connected({ cookie: own.cookies, origin: own.origin });
    expect(refused).toBeUndefined();
    const ended = new Promise((resolve) => socket.once('disconnect', resolve));
    await clientOf(world.admin).call('revokeKey', { params: { id: key.id } });
    await ended;
  });

  it('come over 16 sockets of a caller at most, and stop a credential that is guessed', async () => {
    const key = await newKey('viewer');
    const token = (secret: string) => ({ authorization: `Bearer ${secret}` });
    const opened = [];
    for (let index = 0; index < 17; index++) opened.push(await connected(token(key.secret)));
    expect(opened.map(({ refused }) => refused !== undefined)).toEqual([
      ...Array<boolean>(16).fill(false),
      true,
    ]);
    expect(opened[16]?.refused).toMatchObject({ problem: { code: 'rate-limited' } });
    for (const { socket } of opened) socket.disconnect();
    const narrow = await testServer({ rates: { refused: { burst: 2, perSecond: 0.01 } } });
    const codes = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const { socket, refused } = await connected(token('sk_guess'), narrow.server.url);
      codes.push((refused as { problem: { code: string } }).problem.code);
      socket.disconnect();
    }
    expect(codes).toEqual(['unauthenticated', 'unauthenticated', 'rate-limited']);
    await narrow.close();
  });

  it('come as server-sent events, and end with the key', async () => {
    const key = await newKey('viewer');
    const own = newTab();
    await own.signIn(key.secret);
    const follows = await fetch(`${world.server.url}/v1/events`, { headers: { cookie: own.cookies } });
    expect(follows.status).toBe(200);
    const followed = follows.text();
    await clientOf(world.admin).call('revokeKey', { params: { id: key.id } });
    expect(await followed).toContain('live events');
  });
});
