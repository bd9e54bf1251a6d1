import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBase64Url, utf8Encode, type ChallengeAnswer, type Round, type Task } from '@starling/protocol';
import { identityFromSeed, sign } from '@starling/secure';
import { io, type Socket as LiveSocket } from 'socket.io-client';
import { eventually, tinyModel, tinyPlan, type Admin } from './testing/project.ts';
import { RawDevice, sha256, updateFile } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

/** What someone may do who wants to harm: each is refused by its code, costs the server little, and changes nothing. */

let world: TestServer;
let admin: Admin;
let token: string;

/** A websocket that never says whose it is: the server waits for that for the better part of a minute, beside the other tests. */
let silent: Awaited<ReturnType<typeof rawConnection>>;

beforeAll(async () => {
  world = await testServer();
  admin = world.admin;
  token = await admin.enrolmentToken({ fleet: 'hostile' });
  silent = await rawConnection();
  silent.socket.write(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: starling\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
});
afterAll(() => world.close());

const newDevice = () => RawDevice.enrolled(world.server.url, token);

/** A task of this test alone, and a device that was offered its round. */
async function offered(
  name: string,
): Promise<{ task: Task; device: RawDevice; id: string; update: Uint8Array }> {
  const own = await admin.enrolmentToken({ name });
  const device = await RawDevice.enrolled(world.server.url, own);
  const task = await admin.tinyTask({
    cohort: { goal: 1, minimum: 1, overSelection: 1, select: { name } },
    rounds: 2,
  });
  await admin.post(`/v1/tasks/${task.id}/start`);
  const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
  return { task, device, id: offer.id, update: updateFile(offer) };
}

/** A connection on which whatever bytes may be sent. */
async function rawConnection(): Promise<{ socket: Socket; answer: () => string; closed: Promise<unknown> }> {
  const { hostname, port } = new URL(world.server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let heard = '';
  socket.on('data', (data) => (heard += data.toString()));
  socket.on('error', () => undefined); // the server may end it rudely
  return { socket, answer: () => heard, closed: once(socket, 'close') };
}

function live(namespace: string, auth: object): LiveSocket {
  return io(`${world.server.url}${namespace}`, {
    ...{ transports: ['websocket'], auth, reconnection: false, forceNew: true },
  });
}

async function problemOf(answer: Response): Promise<{ status: number; code: unknown }> {
  return { status: answer.status, code: ((await answer.json()) as { code?: unknown }).code };
}

const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  fetch(`${world.server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin.key}`, 'content-type': 'application/json', ...headers },
    body,
  });

describe('a connection that only costs', { timeout: 60_000 }, () => {
  it('is ended when its headers never end, and when its body never does', async () => {
    const events = await fetch(`${world.server.url}/v1/events`, {
      headers: { authorization: `Bearer ${admin.key}` },
    });
    const reader = events.body!.getReader();
    const headers = await rawConnection();
    headers.socket.write('GET /v1/health HTTP/1.1\r\nHost: starling\r\nX-Slow: ');
    const body = await rawConnection();
    body.socket.write(
      'POST /v1/devices HTTP/1.1\r\nHost: starling\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a":',
    );
    const dripping = setInterval(() => {
      headers.socket.write('a');
      body.socket.write(' ');
    }, 200);
    await Promise.all([headers.closed, body.closed]);
    clearInterval(dripping);
    expect(headers.answer()).toContain('408');
    // A request that is whole is left alone, however long its answer takes.
    await admin.tinyTask();
    let heard = '';
    while (!heard.includes('"kind":"task"')) {
      const { value, done } = await reader.read();
      expect(done).toBe(false);
      heard += new TextDecoder().decode(value);
    }
    await reader.cancel();
    expect((await fetch(`${world.server.url}/v1/health`)).status).toBe(200);
  });

  it('is ended when it sends no HTTP', async () => {
    const { socket, answer, closed } = await rawConnection();
    socket.write('\u0016\u0003\u0001 this is no request\r\n\r\n');
    await closed;
    expect(answer()).toContain('400');
  });

  it('is ended when it sends two lengths, or more headers than any request has', async () => {
    const smuggling = await rawConnection();
    smuggling.socket.write(
      'POST /v1/devices HTTP/1.1\r\nHost: starling\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    const fat = await rawConnection();
    fat.socket.write(`GET /v1/health HTTP/1.1\r\nHost: starling\r\nX-Fat: ${'a'.repeat(20_000)}\r\n\r\n`);
    await Promise.all([smuggling.closed, fat.closed]);
    expect(smuggling.answer()).toContain('400');
    expect(fat.answer()).toContain('431');
  });

  it('cannot be opened by one device without end', async () => {
    const device = await newDevice();
    const sockets = Array.from({ length: 12 }, () => live('/device', { token: device.token }));
    const ends = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<string>((resolve) => {
            socket.on('connect', () => {
              resolve('connected');
            });
            socket.on('connect_error', (error: Error & { data?: { problem?: { code: string } } }) => {
              resolve(error.data?.problem?.code ?? error.message);
            });
          }),
      ),
    );
    await eventually('the surplus to be ended', () =>
      Promise.resolve(sockets.filter(({ connected }) => connected).length <= 8 || undefined),
    );
    expect(ends).toContain('rate-limited');
    for (const socket of sockets) socket.disconnect();
  });
});

describe('a body that is a bomb', () => {
  it('is refused when it is compressed, whatever would come out of it', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000, 32));
    for (const encoding of ['gzip', 'br', 'deflate', 'gzip, identity']) {
      expect(await problemOf(await post('/v1/models', bomb, { 'content-encoding': encoding }))).toEqual({
        status: 415,
        code: 'unsupported-media-type',
      });
    }
    const { device, id, update } = await offered('zipped');
    await device.reachUpload({ id } as Parameters<typeof device.reachUpload>[0], update);
    const answer = await device.send('PATCH', `/v1/device/assignments/${id}/update`, gzipSync(update), {
      ...{ 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' },
      'content-encoding': 'gzip',
    });
    expect(answer.body).toMatchObject({ code: 'unsupported-media-type' });
    expect((await device.upload(id, update)).body.state).toBe('uploaded');
  });

  it('is refused when it is longer than its route takes, before it is read', async () => {
    for (const [path, bytes] of [
      ['/v1/tasks', 300_000],
      ['/v1/models', 5_000_000],
    ] as const) {
      const answer = await problemOf(await post(path, `"${'a'.repeat(bytes)}"`));
      expect(answer).toEqual({ status: 413, code: 'payload-too-large' });
    }
  });

  it.each(['[', '{"a":'])('is refused when it nests a hundred thousand levels of %s', async (open) => {
    for (const path of ['/v1/tasks', '/v1/models', '/v1/tasks/validate']) {
      const answer = await post(path, open.repeat(40_000));
      expect(await problemOf(answer)).toEqual({ status: 400, code: 'invalid-request' });
    }
  });

  it.each(['__proto__', 'constructor'])('cannot reach a prototype by naming %s', async (name) => {
    const inner = name === 'constructor' ? '{"prototype":{"polluted":true}}' : '{"polluted":true}';
    for (const body of [
      `{"${name}":${inner},"name":"x"}`,
      `{"name":"x","plan":{"${name}":${inner}}}`,
      `{"labels":{"${name}":${inner}}}`,
    ]) {
      for (const path of ['/v1/tasks', '/v1/models', '/v1/enrolment-tokens', '/v1/tasks/validate']) {
        const answer = await problemOf(await post(path, body));
        expect(answer.status === 400 || answer.status === 422, `${path} ${body}: ${answer.status}`).toBe(
          true,
        );
      }
    }
    expect({}).not.toHaveProperty('polluted');
  });

  it('is refused with U+0000 in a text that would be stored', async () => {
    expect(await problemOf(await post('/v1/enrolment-tokens', '{"labels":{"a":"\\u0000"}}'))).toEqual({
      status: 400,
      code: 'invalid-request',
    });
    expect(await problemOf(await post('/v1/projects', '{"name":"a\\u0000b"}'))).toEqual({
      status: 400,
      code: 'invalid-request',
    });
    const model = { ...tinyModel, name: 'a\u0000b' };
    const answer = await problemOf(await post('/v1/models', JSON.stringify(model)));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  it('does not slow a check down, however it was made', async () => {
    const slow = `${'a'.repeat(40_000)}!`;
    const plan = { ...tinyPlan(), cohort: { ...tinyPlan().cohort, select: { [slow]: slow } } };
    const answer = await post('/v1/tasks', JSON.stringify({ name: slow, model: slow, plan }));
    expect((await problemOf(answer)).code).toBe('invalid-request');
  });
});

describe('someone who says things twice, late, or in another’s name', () => {
  it('opens one session with a challenge, however many answers come at once', async () => {
    const device = await newDevice();
    const { deviceId } = device;
    const { challenge } = await device.ok<ChallengeAnswer>('POST', '/v1/device/challenge', { deviceId });
    const proof = sign(identityFromSeed(device.seed), 'session', utf8Encode(challenge));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        device.send<{ code?: string }>('POST', '/v1/device/session', {
          ...{ deviceId, challenge, signature: toBase64Url(proof) },
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.code))).toEqual(new Set([undefined, 'challenge-invalid']));
  });

  it('does not open a session with the challenge of another device', async () => {
    const [victim, thief] = [await newDevice(), await newDevice()];
    const { challenge } = await victim.ok<ChallengeAnswer>('POST', '/v1/device/challenge', {
      deviceId: victim.deviceId,
    });
    const signature = toBase64Url(sign(identityFromSeed(thief.seed), 'session', utf8Encode(challenge)));
    for (const deviceId of [victim.deviceId, thief.deviceId]) {
      const answer = await thief.send('POST', '/v1/device/session', { deviceId, challenge, signature });
      expect(answer.status).toBe(401);
    }
  });

  it('does not enrol with the proof that another device gave', async () => {
    const [seen, other] = [new RawDevice(world.server.url), new RawDevice(world.server.url)];
    const proof = toBase64Url(sign(identityFromSeed(seen.seed), 'enrol', utf8Encode(token)));
    const answer = await other.send('POST', '/v1/devices', {
      ...{ enrolmentToken: token, proof, platform: 'test', sdkVersion: '0' },
      publicKey: toBase64Url(identityFromSeed(other.seed).publicKey),
    });
    expect(answer.body).toMatchObject({ code: 'signature-invalid' });
  });

  it('cannot move an assignment back, past a phase, or after its end', async () => {
    const { device, id, update } = await offered('phases');
    const announce = { digest: sha256(update), bytes: update.length };
    const say = (action: string, fields?: object) =>
      device.send<{ code?: string }>('POST', `/v1/device/assignments/${id}/${action}`, fields);
    expect((await say('ready', announce)).body.code).toBe('illegal-transition');
    expect((await device.upload(id, update)).body).toMatchObject({ code: 'illegal-transition' });
    await device.reachUpload({ id } as Parameters<typeof device.reachUpload>[0], update);
    const other = { digest: '0'.repeat(64), bytes: update.length };
    expect((await say('ready', other)).body.code).toBe('update-already-received');
    expect((await device.upload(id, update)).body.state).toBe('uploaded');
    for (const action of ['decline', 'fail']) {
      expect((await say(action, { reason: 'changed its mind' })).status).toBe(409);
    }
    expect((await say('accept')).status).toBe(200); // said before: the answer again, and nothing moves
    expect((await device.upload(id, update)).body).toMatchObject({ offset: update.length });
  });

  it('announces one update, though it announces two at once', async () => {
    const { device, id, update } = await offered('two at once');
    await device.say(id, 'accept');
    await device.say(id, 'begin');
    const digests = [sha256(update), 'f'.repeat(64)];
    const answers = await Promise.all(
      digests.map((digest) =>
        device.send<{ code?: string }>('POST', `/v1/device/assignments/${id}/ready`, {
          ...{ digest, bytes: update.length },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('update-already-received');
  });

  it('does not fill the disk: an update may be no longer than the round’s, and a device has one at a time', async () => {
    const { device, id } = await offered('disk');
    await device.say(id, 'accept');
    await device.say(id, 'begin');
    const huge = { digest: '0'.repeat(64), bytes: 2 ** 31 };
    const refused = await device.send('POST', `/v1/device/assignments/${id}/ready`, huge);
    expect(refused.body).toMatchObject({ code: 'upload-too-large' });
    expect((await device.assignment())?.id).toBe(id);
    const other = `asg_${'A'.repeat(22)}`;
    expect((await device.upload(other, new Uint8Array(10))).body).toMatchObject({ code: 'not-found' });
  });

  it('is not let in by guessed, foreign or misshapen ids', async () => {
    const device = await newDevice();
    for (const id of [`asg_${'A'.repeat(22)}`, `dev_${'A'.repeat(22)}`, 'asg_1', '..', '%2e%2e%2fetc']) {
      const answer = await device.send<{ code: string }>('POST', `/v1/device/assignments/${id}/accept`);
      expect([400, 404]).toContain(answer.status);
      expect(['not-found', 'invalid-request']).toContain(answer.body.code);
    }
  });

  it('does not read beyond a blob, whatever range it names', async () => {
    const { task } = await offered('ranges');
    const { weights } = await admin.get<{ weights: string }>(`/v1/versions/${task.currentVersion}`);
    const read = (range: string) =>
      fetch(`${world.server.url}/v1/blobs/${weights}`, {
        headers: { authorization: `Bearer ${admin.key}`, range },
      });
    const whole = new Uint8Array(await (await read('')).arrayBuffer());
    for (const range of ['bytes=5-2', 'bytes=-0', `bytes=${whole.length}-`, `bytes=${'9'.repeat(400)}-`]) {
      expect((await problemOf(await read(range))).code, range).toBe('range-not-satisfiable');
    }
    for (const range of [
      'bytes=a-b',
      'bytes=0-1,3-4',
      'items=0-1',
      'bytes=-',
      `bytes=0-${'9'.repeat(400)}`,
    ]) {
      const answer = await read(range);
      expect(new Uint8Array(await answer.arrayBuffer()), range).toEqual(whole);
    }
    expect(new Uint8Array(await (await read(`bytes=-${'9'.repeat(400)}`)).arrayBuffer())).toEqual(whole);
  });

  it.each(['-1', '1e3', '0x10', '9999999999999', ' 1', 'NaN', ''])(
    'is refused with the upload offset "%s"',
    async (offset) => {
      const device = await newDevice();
      const answer = await device.send(
        'PATCH',
        `/v1/device/assignments/asg_${'A'.repeat(22)}/update`,
        new Uint8Array(4),
        { 'content-type': 'application/offset+octet-stream', 'upload-offset': offset },
      );
      expect([400, 404]).toContain(answer.status); // HTTP strips blanks around a value
      if (offset.trim() === offset) expect(answer.body).toMatchObject({ code: 'invalid-request' });
    },
  );

  it('does not steer a list with a cursor that it made up', async () => {
    const cursors = [
      ...['x', '%00', '!!!!', 'e30', toBase64Url(utf8Encode('[1,2]')), toBase64Url(utf8Encode('["a"]'))],
      ...["['2020-01-01", "'; drop table devices; --"].map((text) => toBase64Url(utf8Encode(text))),
      ...['["\\u0000","\\u0000"]', '["1e999","x"]', '["infinity","x"]', '["294277-01-01",""]'].map((text) =>
        toBase64Url(utf8Encode(text)),
      ),
    ];
    for (const path of ['/v1/devices', '/v1/tasks', '/v1/audit']) {
      for (const cursor of cursors) {
        const answer = await admin.call('GET', `${path}?cursor=${cursor}`);
        expect([200, 400], `${path} ${cursor}`).toContain(answer.status); // PostgreSQL knows infinity
        if (answer.status === 400) expect(answer.body).toMatchObject({ code: 'invalid-request' });
      }
      expect((await admin.call('GET', `${path}?limit=100000`)).status).toBe(400);
    }
  });

  it('gets a gap, not another’s events, for an event id that it made up', async () => {
    for (const id of ['', 'x', '../1', '0-99999999999999999999', '-1', '0'.repeat(5000), 'a-b-c', '%00']) {
      const abort = new AbortController();
      const answer = await fetch(`${world.server.url}/v1/events`, {
        headers: { authorization: `Bearer ${admin.key}`, 'last-event-id': id },
        signal: abort.signal,
      });
      expect(answer.status, id).toBe(200);
      abort.abort();
    }
  });
});

describe('a live connection that misbehaves', { timeout: 60_000 }, () => {
  async function connected(): Promise<LiveSocket> {
    const device = await newDevice();
    const socket = live('/device', { token: device.token });
    await once(socket as unknown as NodeJS.EventEmitter, 'connect'); // an emitter of the same shape
    return socket;
  }

  it.each([
    ['no token', {}],
    ['a token that is an object', { token: { toString: 'sk' } }],
    ['a token of another kind', { token: 'sk_nothing' }],
    ['a token with U+0000', { token: 'session.\u0000.1.x' }],
  ])('is turned away with %s', async (_, auth) => {
    for (const namespace of ['/device', '/admin']) {
      const socket = live(namespace, auth);
      const [error] = (await once(socket as unknown as NodeJS.EventEmitter, 'connect_error')) as [
        Error & { data?: { problem?: { code: string } } },
      ];
      expect(error.data?.problem?.code).toBe('unauthenticated');
      socket.disconnect();
    }
  });

  it('is answered with a code when its control message is none', async () => {
    const socket = await connected();
    const messages: unknown[] = [
      ...[null, 1, 'x', [], {}, { assignmentId: 1 }, { assignmentId: `asg_${'A'.repeat(22)}` }],
      { assignmentId: `asg_${'A'.repeat(22)}`, message: { action: 'destroy' } },
      { assignmentId: 'asg_\u0000', message: { action: 'accept' } },
      JSON.parse('{"__proto__":{"assignmentId":"x"},"message":{"action":"accept"}}'),
    ];
    for (const message of messages) {
      const answer = (await socket.timeout(10_000).emitWithAck('control', message)) as {
        problem?: { code: string };
      };
      expect(answer.problem?.code).toBe('invalid-request');
    }
    const missing = { assignmentId: `asg_${'A'.repeat(22)}`, message: { action: 'accept' } };
    const answer = (await socket.timeout(10_000).emitWithAck('control', missing)) as {
      problem?: { code: string };
    };
    expect(answer.problem?.code).toBe('not-found');
    socket.emit('control', missing); // nobody asked for an acknowledgement
    socket.emit('nothing-of-the-kind', { a: 1 });
    expect(socket.connected).toBe(true);
    socket.disconnect();
  });

  it('is ended when it sends bulk where messages belong', async () => {
    const socket = await connected();
    const ended = once(socket as unknown as NodeJS.EventEmitter, 'disconnect');
    socket.emit('control', 'a'.repeat(200_000));
    await ended;
    expect((await fetch(`${world.server.url}/v1/health`)).status).toBe(200);
  });

  it('may say as much as it may ask over HTTP, and then is told to wait', async () => {
    const strict = await testServer({ rates: { device: { burst: 20, perSecond: 0.001 } } });
    try {
      const device = await RawDevice.enrolled(strict.server.url, await strict.admin.enrolmentToken());
      const socket = io(`${strict.server.url}/device`, {
        ...{ transports: ['websocket'], auth: { token: device.token }, reconnection: false },
      });
      await once(socket as unknown as NodeJS.EventEmitter, 'connect');
      const codes: (string | undefined)[] = [];
      for (let message = 0; message < 30; message++) {
        const answer = (await socket.timeout(10_000).emitWithAck('control', {})) as {
          problem?: { code: string };
        };
        codes.push(answer.problem?.code);
      }
      expect(codes.filter((code) => code === 'invalid-request').length).toBeLessThanOrEqual(20);
      expect(codes.at(-1)).toBe('rate-limited');
      socket.disconnect();
    } finally {
      await strict.close();
    }
  });

  it('leaves rounds unharmed', async () => {
    const { task, device, id, update } = await offered('unharmed');
    await device.reachUpload({ id } as Parameters<typeof device.reachUpload>[0], update);
    expect((await device.upload(id, update)).body.state).toBe('uploaded');
    await eventually('the round to be published', async () => {
      const { items } = await admin.get<{ items: Round[] }>(`/v1/tasks/${task.id}/rounds`);
      return items.some(({ state }) => state === 'published') || undefined;
    });
  });
});

describe('a connection that says nothing', { timeout: 60_000 }, () => {
  it('is ended when it opens a websocket and never says whose it is', async () => {
    await silent.closed;
    expect(silent.answer()).toContain('101 Switching Protocols');
  });
});
