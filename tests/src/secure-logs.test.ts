import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { request as ask } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { createDevice, DeviceError, type Device } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import {
  fromHex,
  toBase64Url,
  toHex,
  utf8Decode,
  utf8Encode,
  type Plan,
  type Round,
  type Task,
} from '@starling/protocol';
import { kindOf, loadClientState } from '@starling/secure';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OtlpReceiver } from './testing/otlp-receiver.ts';
import { knownUpdate } from './testing/known-device.ts';
import { Admin, eventually as within } from './testing/project.ts';
import { databaseTemplate, temporaryDirectory } from './testing/servers.ts';

/**
 * Rounds of a secure task, one that is published and one whose group is aborted, with everything logged that can be: by the
 * server at its finest level, by devices to their app, and with all metrics and traces exported. No secret of anyone may be
 * in it, however it is written, and no address that somebody called from.
 */
interface Secret {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a secret looks like in a text: as it is, in hexadecimal, in base64, as the numbers of a JSON or of an inspection. */
function formsOf(bytes: Uint8Array): string[] {
  const hex = toHex(bytes);
  // Padding aside, the end of base64 depends on what follows: whole groups of three bytes only.
  const url = toBase64Url(bytes.subarray(0, bytes.length - (bytes.length % 3)));
  const numbers = [...bytes.subarray(0, 16)];
  return [
    String.fromCharCode(...bytes),
    hex,
    hex.toUpperCase(),
    url,
    url.replaceAll('-', '+').replaceAll('_', '/'),
    numbers.join(),
    numbers.map((byte, at) => `"${at}":${byte}`).join(','),
  ];
}

function found(text: string, secrets: readonly Secret[]): string[] {
  const squeezed = text.replace(/\s+/g, '');
  return secrets
    .filter(({ bytes }) => formsOf(bytes).some((form) => text.includes(form) || squeezed.includes(form)))
    .map(({ name }) => name);
}

/** Members of a device's state that others are told, or anyone may know; all the rest of it is secret. */
const told = [
  ...['terms', 'context', 'keys', 'roster', 'rosterRoot', 'reveal', 'shares', 'nonces', 'graphSeed', 'inbox'],
  ...['upload', 'survivors', 'signature'],
];

function secretsIn(value: unknown, name: string): Secret[] {
  if (value instanceof Uint8Array) return value.length >= 16 ? [{ name, bytes: value.slice(0, 64) }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    told.includes(key) ? [] : secretsIn(part, `${name}.${key}`),
  );
}

const program = `
  const options = { dataDirectory: process.argv.at(-1), logLevel: 'trace', pollIntervalMs: 50,
    metrics: { host: '127.0.0.1', port: 0 } };
  import('@starling/server')
    .then(({ startServer }) => startServer(options))
    .then(({ url, metricsUrl }) => console.log('serves ' + url + ', metrics ' + metricsUrl));`;

/** Where a stranger calls from: the whole of 127/8 is this machine. */
const strangersAddress = '127.45.67.89';

const eventually = <T>(what: string, probe: () => Promise<T | undefined>) => within(what, probe, 60_000);

let template: Awaited<ReturnType<typeof databaseTemplate>>;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let child: ChildProcess;
let childEnded: Promise<unknown>;
let url: string;
let traces: OtlpReceiver;
let output = '';
let said = '';
const secrets = new Map<string, Secret>();
const devices: Device[] = [];

const remember = (list: readonly Secret[]) => {
  for (const secret of list) secrets.set(`${secret.name} ${toHex(secret.bytes)}`, secret);
};

beforeAll(async () => {
  template = await databaseTemplate();
  place = await temporaryDirectory();
  const data = join(place.path, 'server');
  await cp(template.path, data, { recursive: true });
  traces = await OtlpReceiver.start();
  child = spawn(process.execPath, ['-e', program, data], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...traces.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  childEnded = once(child, 'exit');
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
  url = await eventually('the server', () => Promise.resolve(/serves (http:[^\s,]+)/.exec(output)?.[1]));
}, 120_000);

afterAll(async () => {
  await Promise.all(devices.map((device) => device.stop()));
  child.kill('SIGKILL');
  await childEnded;
  traces.close();
  await place.remove();
  await template.remove();
});

/** A device whose secrets are noted as they are stored or sent; `isSilent`: it says nothing when its shares are asked for. */
function watched(enrolmentToken: string, number: number, isSilent: () => boolean): Device {
  const name = `device ${number}`;
  const host = nodeHost({ directory: join(place.path, String(number)) });
  const { storage } = host;
  const device = createDevice({
    server: url,
    enrolmentToken,
    examples: () => Promise.resolve({ x: new Float32Array(20), y: new Int32Array(5), count: 5 }),
    log: (line) => (said += `${line}\n`),
    host: {
      ...host,
      storage: {
        get: (key) => storage.get(key),
        delete: (key) => storage.delete(key),
        set: async (key, value) => {
          if (key === 'group')
            remember(secretsIn(loadClientState(value.slice(1 + value[0]!)), `${name}.group`));
          if (value.length === 32) remember([{ name: `${name}.${key}`, bytes: value.slice() }]);
          await storage.set(key, value);
        },
      },
      http: async (request) => {
        const { body } = request;
        const isMessage = request.url.endsWith('/messages') && body !== undefined;
        if (isMessage && isSilent() && kindOf(body) === 'shares')
          throw new DeviceError('offline', 'Its shares never arrive.');
        if (isMessage && kindOf(body) === 'unmask')
          remember([{ name: `${name}.unmask`, bytes: body.slice(-32) }]);
        const answer = await host.http(request);
        if (request.url.endsWith('/session')) {
          const { token } = JSON.parse(utf8Decode(answer.body)) as { token: string };
          remember([{ name: `${name}.session`, bytes: utf8Encode(token) }]);
        }
        return answer;
      },
      trainer: {
        run: (job) => {
          if (job.kind !== 'contribute') throw new TypeError('These devices contribute, and nothing else.');
          const update = knownUpdate(number, job.assignment);
          remember([{ name: `${name}.update`, bytes: update.slice(-100, -60) }]);
          return Promise.resolve({ bytes: update });
        },
        close: () => Promise.resolve(),
      },
    },
  });
  for (const event of ['status', 'assignment', 'contributed', 'error'] as const)
    device.on(event, (value) => (said += `${inspect(value, { depth: 9 })}\n${JSON.stringify(value)}\n`));
  devices.push(device);
  return device;
}

/** The status of a GET by a caller at another address of this machine. */
function statusFrom(localAddress: string, path: string, headers: Record<string, string>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = ask(`${url}${path}`, { localAddress, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.once('error', reject).end();
  });
}

describe('what is logged', { timeout: 240_000 }, () => {
  it('holds no secret of a device, a group or the project, in a round that goes well and in one that does not', async () => {
    const admin = new Admin(url, template.key);
    const enrolmentToken = await admin.enrolmentToken();
    remember([
      { name: 'API key', bytes: utf8Encode(template.key) },
      { name: 'enrolment token', bytes: utf8Encode(enrolmentToken) },
    ]);
    let isSilent = false;
    for (const number of [0, 1, 2])
      await watched(enrolmentToken, number, () => isSilent && number === 2).start();
    const plan: Partial<Plan> = { secure: { groupSize: { target: 3, minimum: 3 }, ring: 32 } };
    const task = await admin.tinyTask(plan);
    await admin.post(`/v1/tasks/${task.id}/start`);
    await eventually('a published sum', async () =>
      (await admin.get<Task>(`/v1/tasks/${task.id}`)).state === 'completed' ? true : undefined,
    );
    isSilent = true;
    const windows = { selectingMs: 60_000, trainingMs: 60_000, aggregatingMs: 10_000 };
    const second = await admin.tinyTask({ ...plan, windows });
    await admin.post(`/v1/tasks/${second.id}/start`);
    await eventually('an aborted group', () =>
      Promise.resolve(output.includes('a group was aborted') || undefined),
    );
    await admin.post(`/v1/tasks/${second.id}/cancel`);
    // Requests that are refused, with secrets in them.
    const bad = { authorization: `Bearer ${template.key}x` };
    expect((await admin.call('GET', '/v1/tasks', undefined, bad)).status).toBe(401);
    const body = `{"enrolmentToken": "${enrolmentToken}"`;
    expect((await admin.call('POST', '/v1/devices', body)).status).toBe(400);
    expect(await statusFrom(strangersAddress, '/v1/tasks', bad)).toBe(401);
    const { items } = await admin.get<{ items: Round[] }>(`/v1/tasks/${second.id}/rounds`);
    said += JSON.stringify(items);

    const names = new Set([...secrets.values()].map(({ name }) => name.replace(/^device \d/, 'device')));
    for (const expected of [
      ...[
        'API key',
        'enrolment token',
        'device.session',
        'device.update',
        'device.unmask',
        'device.identity-seed',
      ],
      ...['device.group.seed', 'device.group.maskSecret', 'device.group.shareSecret'],
      ...['device.group.boxKeys.0.key', 'device.group.held.0.selfMask', 'device.group.held.1.maskKey'],
    ]) {
      expect([...names]).toContain(expected);
    }
    expect(said).toContain('uploaded');
    expect(output).toContain('a group was aborted');
    expect(found(output, [...secrets.values()])).toEqual([]);
    expect(output).not.toContain(strangersAddress);
    const metrics = await (await fetch(/metrics (http:\S+)/.exec(output)?.[1] ?? '')).text();
    expect(metrics).toContain('starling_groups_ended_total{end="summed",reason=""} 1');
    await eventually('the trace of a published round', () =>
      Promise.resolve(traces.text.includes('"round publish"') || undefined),
    );
    for (const exported of [metrics, traces.text]) {
      expect(found(exported, [...secrets.values()])).toEqual([]);
      expect(exported).not.toContain(strangersAddress);
    }
    expect(found(said, [...secrets.values()])).toEqual([]);
  });

  it('would be found out in every form that a secret may take', () => {
    const bytes = fromHex('8f00f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddee');
    const secret = { name: 'planted', bytes };
    const state = { seed: bytes };
    for (const text of [
      `key=${toHex(bytes)}`,
      toHex(bytes).toUpperCase(),
      `Bearer ${toBase64Url(bytes)}`,
      Buffer.from(bytes).toString('base64'),
      Buffer.from(bytes).toString('latin1'),
      JSON.stringify(state),
      JSON.stringify({ seed: Buffer.from(bytes) }),
      JSON.stringify([...bytes], null, 1).replace(/\s+/g, ' '),
      inspect({ seed: Buffer.from(bytes) }),
      inspect(state, { maxArrayLength: null, breakLength: Infinity }),
    ]) {
      expect(found(`before ${text} after`, [secret]), text).toEqual(['planted']);
    }
    expect(found('nothing of the kind', [secret])).toEqual([]);
  });
});
