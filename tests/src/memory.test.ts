import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testServer, type TestServer } from './testing/servers.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void; // what the flag has just put there

/** Requests of each kind in one wave, and how much the heap may grow with each of them: less than any of them holds. */
const wave = 150;
const bytesARequest = 1024;

let world: TestServer;
beforeAll(async () => {
  const generous = { burst: 1e6, perSecond: 1e6 };
  world = await testServer({
    behindTls: true,
    rates: { refused: generous, key: generous, challenge: generous, enrolment: generous },
  });
});
afterAll(() => world.close());

const random = () => randomBytes(16).toString('base64url');

/** What strangers send: each time something that was never seen before, from one of many addresses. */
const kinds: ((address: string) => Promise<unknown>)[] = [
  (address) => send('GET', '/v1/tasks', address, `sk_${random()}`),
  (address) => send('GET', '/v1/events', address, `sk_${random()}`),
  (address) => send('GET', `/v1/tasks/tsk_${random()}`, address, world.admin.key),
  (address) => send('GET', `/${random()}`, address),
  (address) => send('GET', '/v1/device/assignment', address, random()),
  (address) => send('POST', '/v1/device/challenge', address, undefined, { deviceId: `dev_${random()}` }),
  (address) => send('POST', '/v1/devices', address, undefined, { enrolmentToken: random() }),
  (address) => send('POST', '/v1/session', address, undefined, { key: `sk_${random()}` }),
];

async function send(
  method: string,
  path: string,
  address: string,
  token?: string,
  body?: unknown,
): Promise<void> {
  const answer = await fetch(`${world.server.url}${path}`, {
    method,
    headers: {
      'x-forwarded-for': address,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  await answer.arrayBuffer();
}

/** A connection that is refused. */
function connects(namespace: string): Promise<void> {
  const socket = io(`${world.server.url}${namespace}`, {
    ...{ transports: ['websocket'], reconnection: false, forceNew: true, auth: { token: random() } },
  });
  return new Promise((resolve) => {
    socket.once('connect_error', () => {
      socket.disconnect();
      resolve();
    });
  });
}

async function abuse(): Promise<void> {
  for (let index = 0; index < wave; index++) {
    const address = `192.0.2.${index % 50}`;
    await Promise.all(kinds.map((kind) => kind(address)));
    if (index % 10 === 0) await Promise.all(['/admin', '/device'].map(connects));
  }
}

function heapUsed(): number {
  for (let turn = 0; turn < 3; turn++) collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('the memory of a server', { timeout: 120_000 }, () => {
  it('does not grow with what strangers send it', async () => {
    await abuse(); // caches and pools fill
    const before = heapUsed();
    await abuse();
    await abuse();
    expect((heapUsed() - before) / (2 * wave * kinds.length)).toBeLessThan(bytesARequest);
  });
});
