import { createHash } from 'node:crypto';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PersonRole } from '@starling/protocol';
import type { BrowserSession } from '@starling/protocol/api';
import { startServer } from '@starling/server';
import { BrowserTab } from './testing/browser-tab.ts';
import { clientOf } from './testing/client.ts';
import { clientId, clientSecret, freePort, TestProvider, type Forged } from './testing/openid.ts';
import { Admin } from './testing/project.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';

const start = '/v1/session/oidc/start?next=/console/tasks';

let world: TestServer;
let provider: TestProvider;
beforeAll(async () => {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  provider = await TestProvider.start(`${publicUrl}/v1/session/oidc/callback`);
  for (const name of ['ada', 'bob', 'cleo', 'dora']) {
    provider.people.set(name, { name, email: `${name}@example.com`, email_verified: true });
  }
  world = await testServer({
    port,
    publicUrl,
    oidc: { issuer: provider.issuer, clientId, clientSecret, admin: 'Ada@Example.com' },
  });
});
afterAll(async () => {
  await world.close();
  await provider.close();
});

const newTab = () => new BrowserTab(world.server.url);

/** The way of a person up to the callback: the URL that the provider sends the browser back to. */
async function wayBack(account: string, tab: BrowserTab, changed = (url: URL) => url): Promise<string> {
  const sent = await tab.send('GET', start);
  expect(sent.status).toBe(302);
  return provider.visit(account, changed(new URL(sent.headers.get('location') ?? '')).href);
}

async function signIn(account: string): Promise<{ tab: BrowserTab; session: BrowserSession }> {
  const tab = newTab();
  const back = await tab.send('GET', await wayBack(account, tab));
  expect(back.status, JSON.stringify(back.body)).toBe(302);
  expect(back.headers.get('location')).toBe('/console/tasks');
  return { tab, session: await tab.session() };
}

const invite = (name: string, role: PersonRole, admin = world.admin) =>
  clientOf(admin).call('inviteMember', { body: { email: `${name}@example.com`, role } });

const failed = { status: 401, body: { code: 'sign-in-failed' } };

describe('a person', () => {
  it('signs in at the provider: the first as admin, the others when they are invited', async () => {
    const ada = await signIn('ada');
    expect(ada.session).toMatchObject({ role: 'admin', name: 'ada', project: { name: 'default' } });
    const invited = await ada.tab.send('POST', '/v1/members', { email: 'BOB@example.com', role: 'operator' });
    expect(invited).toMatchObject({ status: 201, body: { email: 'bob@example.com', personId: null } });
    const bob = await signIn('bob');
    expect(bob.session).toMatchObject({ role: 'operator', name: 'bob' });
    const caller = await bob.tab.send('GET', '/v1/caller');
    expect(caller.body).toMatchObject({ key: null, person: { email: 'bob@example.com' }, role: 'operator' });
    expect((await bob.tab.send('POST', '/v1/keys', { name: 'mine', role: 'viewer' })).status).toBe(403);
    const { items } = await clientOf(world.admin).call('listMembers');
    expect(items.find(({ email }) => email === 'bob@example.com')).toMatchObject({ name: 'bob' });
  });

  it('whom nobody invited is told so, and nothing of them is kept', async () => {
    const tab = newTab();
    const back = await tab.send('GET', await wayBack('dora', tab));
    expect(back).toMatchObject({ status: 403, body: { code: 'sign-in-refused' } });
    expect(JSON.stringify(back.body)).toContain('dora@example.com is a member of no project here');
    expect(tab.cookies).toBe('');
    expect((await clientOf(world.admin).call('listMembers')).items.map(({ email }) => email)).not.toContain(
      'dora@example.com',
    );
  });

  it('whose sign-in fails reads in the own language what to do, on a page that runs nothing', async () => {
    const tab = newTab();
    const back = await wayBack('dora', tab);
    const [english, chinese] = await Promise.all(
      ['en-GB,en;q=0.9', 'fr, zh-CN;q=0.8, en;q=0.3'].map((language) =>
        newTab().send('GET', back, undefined, {
          ...{ accept: 'text/html,*/*;q=0.8', 'accept-language': language },
        }),
      ),
    );
    expect(english).toMatchObject({ status: 401 });
    expect(english?.body).toContain('<html lang="en">');
    expect(english?.body).toContain('Begin again from the console');
    expect(chinese?.body).toContain('<html lang="zh">');
    expect(chinese?.body).toContain('未能登录');
    const style = /<style>([^<]*)<\/style>/.exec(String(english?.body))?.[1] ?? '';
    const digest = createHash('sha256').update(style).digest('base64');
    expect(english?.headers.get('content-security-policy')).toContain(`style-src 'sha256-${digest}'`);
    expect(english?.headers.get('content-security-policy')).toContain("default-src 'none'");
    const refused = await tab.send('GET', back, undefined, { accept: 'text/html' });
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('dora@example.com is a member of no project here');
    provider.people.set('mallory', { name: 'm', email: '<img src=x>@example.com', email_verified: true });
    const hostile = await tab.send('GET', await wayBack('mallory', tab), undefined, { accept: 'text/html' });
    expect(hostile.status).toBe(403);
    expect(hostile.body).not.toContain('<img');
  });

  it('is taken by the verified e-mail only, and afterwards by the provider’s name for them', async () => {
    await invite('eve', 'viewer');
    provider.people.set('eve', { name: 'eve', email: 'eve@example.com', email_verified: false });
    const tab = newTab();
    const refused = await tab.send('GET', await wayBack('eve', tab));
    expect(refused).toMatchObject({ status: 403, body: { code: 'sign-in-refused' } });
    provider.people.set('eve', { name: 'eve', email: 'eve@example.com', email_verified: true });
    expect((await signIn('eve')).session.role).toBe('viewer');
    provider.people.set('eve', { name: 'eve', email: 'eve@elsewhere.example', email_verified: true });
    expect((await signIn('eve')).session.role).toBe('viewer'); // the same person under another address
    provider.people.set('heir', { name: 'heir', email: 'eve@example.com', email_verified: true });
    const heir = newTab();
    expect((await heir.send('GET', await wayBack('heir', heir))).status).toBe(403); // the address of another
  });

  it('acts with a changed role from the next request on, and with none once removed', async () => {
    const member = await invite('cleo', 'viewer');
    const { tab } = await signIn('cleo');
    const create = () => tab.send('POST', '/v1/enrolment-tokens', {});
    expect((await create()).status).toBe(403);
    const params = { id: member.id };
    await clientOf(world.admin).call('changeMember', { params, body: { role: 'admin' } });
    expect((await create()).status).toBe(201);
    const own = await tab.send('POST', `/v1/members/${member.id}/role`, { role: 'viewer' });
    expect(own).toMatchObject({ status: 409, body: { code: 'illegal-transition' } });
    const socket = io(`${world.server.url}/admin`, {
      transports: ['websocket'],
      extraHeaders: { cookie: tab.cookies, origin: tab.origin },
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    const ended = new Promise((resolve) => socket.once('disconnect', resolve));
    await clientOf(world.admin).call('removeMember', { params });
    await ended;
    socket.disconnect();
    expect((await tab.send('GET', '/v1/session')).status).toBe(401);
    expect((await tab.send('GET', '/v1/tasks')).status).toBe(401);
    const again = newTab();
    expect((await again.send('GET', await wayBack('cleo', again))).status).toBe(403);
  });

  it('is a member of no further project without wanting it', async () => {
    const client = clientOf(world.admin);
    const project = await client.call('createProject', { body: { name: 'pushy' } });
    const pushy = new Admin(world.server.url, world.admin.key, project.id);
    const member = await invite('bob', 'admin', pushy);
    const { tab: bob } = await signIn('bob');
    const { tab: ada } = await signIn('ada');
    expect(await clientOf(pushy).call('getMember', { params: { id: member.id } })).toMatchObject({
      personId: null,
      name: null,
    });
    expect((await bob.send('PUT', '/v1/session/project', { project: project.id })).status).toBe(404);
    const path = `/v1/invitations/${member.id}`;
    expect((await ada.send('POST', `${path}/accept`)).status).toBe(404);
    const byKey = await pushy.call('POST', `${path}/accept`);
    expect(byKey).toMatchObject({ status: 409, body: { code: 'illegal-transition' } });
    expect((await bob.send('POST', `${path}/decline`)).status).toBe(200);
    expect((await bob.send('POST', `${path}/accept`)).status).toBe(404);
    const again = await invite('bob', 'viewer', pushy);
    expect((await bob.send('POST', `/v1/invitations/${again.id}/accept`)).status).toBe(200);
    expect((await bob.send('PUT', '/v1/session/project', { project: project.id })).status).toBe(200);
    const { items } = await clientOf(pushy).call('listAudit', { query: { limit: 200 } });
    const answered = items.filter(({ personId }) => personId !== null);
    expect(answered.map(({ action, outcome }) => [action, outcome?.status])).toEqual(
      expect.arrayContaining([
        ['acceptInvitation', 200],
        ['declineInvitation', 200],
      ]),
    );
    expect(await clientOf(pushy).call('verifyAudit')).toMatchObject({ intact: true });
  });

  it('picks one of their projects, and sees no other', async () => {
    const client = clientOf(world.admin);
    const project = await client.call('createProject', { body: { name: 'second' } });
    const hidden = await client.call('createProject', { body: { name: 'hidden' } });
    await invite('ada', 'viewer', new Admin(world.server.url, world.admin.key, project.id));
    const { tab, session } = await signIn('ada');
    const listed = async (path: string) => {
      const { body } = await tab.send('GET', path);
      return (body as { items: { id: string }[] }).items;
    };
    const ids = async () => (await listed('/v1/projects')).map(({ id }) => id).sort();
    expect(await ids()).toEqual([session.project.id]);
    const [invitation] = await listed('/v1/invitations');
    expect(invitation).toMatchObject({ role: 'viewer', project: { name: 'second' } });
    await tab.send('POST', `/v1/invitations/${invitation?.id}/accept`);
    expect(await ids()).toEqual([project.id, session.project.id].sort());
    const moved = await tab.send('PUT', '/v1/session/project', { project: project.id });
    expect(moved).toMatchObject({ status: 200, body: { role: 'viewer', project: { id: project.id } } });
    expect((await tab.send('POST', '/v1/enrolment-tokens', {})).status).toBe(403);
    expect((await tab.send('PUT', '/v1/session/project', { project: hidden.id })).status).toBe(404);
    const header = await tab.send('GET', '/v1/tasks', undefined, { 'starling-project': hidden.id });
    expect(header.status).toBe(404);
  });

  it('is named in the audit log and in releases', async () => {
    const { tab } = await signIn('ada');
    const { body } = await tab.send('GET', '/v1/caller');
    const { id } = (body as { person: { id: string } }).person;
    const task = await world.admin.tinyTask();
    const released = await tab.send('POST', `/v1/versions/${String(task.currentVersion)}/promote`, {});
    expect(released.body).toMatchObject({ keyId: null, personId: id });
    await tab.send('DELETE', '/v1/session');
    expect(tab.cookies).toBe('');
    const { items } = await clientOf(world.admin).call('listAudit', { query: { limit: 3 } });
    expect(items.slice(0, 2)).toMatchObject([
      { keyId: null, personId: id, action: 'endSession' },
      { keyId: null, personId: id, action: 'promoteVersion' },
    ]);
    expect(await clientOf(world.admin).call('verifyAudit')).toMatchObject({ intact: true });
  });
});

describe('a sign-in', () => {
  it('asks with code, PKCE, state and nonce, and keeps its secret in a cookie that comes back', async () => {
    const tab = newTab();
    const sent = await tab.send('GET', start);
    const asked = new URL(sent.headers.get('location') ?? '').searchParams;
    expect(asked.get('response_type')).toBe('code');
    expect(asked.get('code_challenge_method')).toBe('S256');
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{43}$/);
    const [line = ''] = tab.setCookies;
    expect(line).toMatch(/^starling-sign-in=[\w-]{43};.*HttpOnly.*SameSite=Lax/);
    expect(sent.headers.get('location')).not.toContain(tab.cookies.split('=')[1] ?? 'a cookie');
  });

  it('takes an answer of its own browser only', async () => {
    const [one, other] = [newTab(), newTab()];
    const url = await wayBack('ada', one);
    expect(await newTab().send('GET', url)).toMatchObject(failed); // no cookie at all
    await other.send('GET', start);
    expect(await other.send('GET', url)).toMatchObject(failed); // the cookie of another sign-in
    const wrong = new URL(url);
    wrong.searchParams.set('state', 'A'.repeat(43));
    const cookies = one.cookies;
    expect(await one.send('GET', wrong.href)).toMatchObject(failed);
    one.keepCookie('starling-sign-in', cookies.split('=')[1] ?? '');
    expect((await one.send('GET', url)).status).toBe(302); // the wrong answer has not used it up
  });

  it('is good once, and its code with it', async () => {
    const tab = newTab();
    const url = await wayBack('ada', tab);
    const secret = tab.cookies.split('=')[1] ?? '';
    expect((await tab.send('GET', url)).status).toBe(302);
    const replay = newTab();
    replay.keepCookie('starling-sign-in', secret);
    expect(await replay.send('GET', url)).toMatchObject(failed);
    const injected = newTab();
    const own = new URL(await wayBack('ada', injected));
    own.searchParams.set('code', new URL(url).searchParams.get('code') ?? '');
    expect(await injected.send('GET', own.href)).toMatchObject(failed);
    expect(injected.cookies).toBe('');
  });

  it('refuses a code that was asked for with another verifier or nonce', async () => {
    const [victim, thief] = [newTab(), newTab()];
    const code = new URL(await wayBack('ada', victim)).searchParams.get('code') ?? '';
    const own = new URL(await wayBack('ada', thief));
    own.searchParams.set('code', code);
    expect(await thief.send('GET', own.href)).toMatchObject(failed);
    const tab = newTab();
    const url = await wayBack('ada', tab, (asked) => {
      asked.searchParams.set('nonce', 'B'.repeat(43));
      return asked;
    });
    expect(await tab.send('GET', url)).toMatchObject(failed);
  });

  const now = () => Math.floor(Date.now() / 1000);
  const forgeries: [string, Forged][] = [
    ['of another issuer', { claims: (claims) => ({ ...claims, iss: 'https://elsewhere.example' }) }],
    ['for another client', { claims: (claims) => ({ ...claims, aud: 'someone-else' }) }],
    ['that is over', { claims: (claims) => ({ ...claims, iat: now() - 7200, exp: now() - 3600 }) }],
    ['with another nonce', { claims: (claims) => ({ ...claims, nonce: 'C'.repeat(43) }) }],
    ['without a nonce', { claims: (claims) => ({ ...claims, nonce: undefined }) }],
    ['without a signature', { algorithm: 'none' }],
    ['signed with the client secret', { algorithm: 'HS256' }],
    ['signed by someone else', { algorithm: 'foreign key' }],
  ];
  it.each(forgeries)('refuses an ID token %s', async (_what, forged) => {
    provider.forged = {};
    await signIn('ada'); // the forger can sign what holds
    provider.forged = forged;
    const tab = newTab();
    const url = await wayBack('ada', tab);
    const back = await tab.send('GET', url);
    provider.forged = undefined;
    expect(back).toMatchObject(failed);
    expect(tab.cookies).toBe('');
  });

  it('ends on a page of this server only', async () => {
    for (const next of [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example/',
      '/%0d%0a//evil.example'.replace('%0d%0a', '\r\n'),
      '\thttps://evil.example',
      'console',
      '',
    ]) {
      const url = `/v1/session/oidc/start?next=${encodeURIComponent(next)}`;
      expect(await newTab().send('GET', url), next).toMatchObject({
        status: 400,
        body: { code: 'invalid-request' },
      });
    }
  });

  it('ends the session that the browser had, and begins one of another name', async () => {
    const tab = newTab();
    await tab.signIn(world.admin.key);
    const before = tab.cookies.split('=')[1] ?? '';
    await tab.send('GET', await wayBack('ada', tab));
    expect((await tab.session()).name).toBe('ada');
    const old = newTab();
    old.keepCookie('starling-session', before);
    expect((await old.send('GET', '/v1/session')).status).toBe(401);
  });

  it('says so when the provider refuses or is away', async () => {
    const tab = newTab();
    await tab.send('GET', start);
    const url = new URL(await wayBack('ada', tab));
    url.searchParams.delete('code');
    url.searchParams.set('error', 'access_denied');
    const refused = await tab.send('GET', url.href);
    expect(refused).toMatchObject(failed);
    expect(JSON.stringify(refused.body)).toContain('access_denied');
    const away = await testServer({
      publicUrl: 'http://127.0.0.1:1',
      oidc: { issuer: `http://127.0.0.1:${await freePort()}`, clientId, clientSecret },
    });
    const waiting = new BrowserTab(away.server.url);
    expect(await waiting.send('GET', start)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect((await waiting.send('GET', '/v1/session/ways')).body).toEqual({ oidc: true });
    await away.close();
  });

  it('is not offered by a server without a provider, nor over a network in the clear', async () => {
    const plain = await testServer();
    const tab = new BrowserTab(plain.server.url);
    expect((await tab.send('GET', '/v1/session/ways')).body).toEqual({ oidc: false });
    expect((await tab.send('GET', start)).status).toBe(404);
    await plain.close();
    const directory = await temporaryDirectory();
    const open = (issuer: string, publicUrl?: string) =>
      startServer({
        dataDirectory: directory.path,
        logLevel: 'silent',
        oidc: { issuer, clientId, clientSecret },
        ...(publicUrl !== undefined && { publicUrl }),
      });
    await expect(open('http://login.example', 'https://fl.example')).rejects.toThrow(/https/);
    await expect(open('https://login.example')).rejects.toThrow(/publicUrl/);
    await directory.remove();
  });
});
