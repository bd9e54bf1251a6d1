import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webcrypto } from 'node:crypto';
import {
  digestOfWork,
  fromBase64Url,
  fromHex,
  toHex,
  type Assignment,
  type GroupMail,
  type Problem,
} from '@starling/protocol';
import {
  bestMasks,
  identityFromSeed,
  joinGroup,
  kindOf,
  mixedProvider,
  type ClientEnvironment,
} from '@starling/secure';
import { RawDevice, sha256 } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

/** The two routes of a secure group, byte by byte. */
let server: TestServer;
let devices: RawDevice[];
let stranger: RawDevice;
let assignments: Assignment[];
let path: string;

const octets = { 'content-type': 'application/octet-stream' };
const post = (device: RawDevice, bytes: Uint8Array) =>
  device.send<GroupMail & Problem>('POST', `${path}/messages`, bytes, octets);

beforeAll(async () => {
  server = await testServer();
  const { admin } = server;
  const token = await admin.enrolmentToken();
  const enrolled = (number: number) => RawDevice.enrolled(admin.url, token, new Uint8Array(32).fill(number));
  devices = await Promise.all([1, 2, 3].map(enrolled));
  for (const device of devices) await device.assignment();
  const task = await admin.tinyTask({ secure: { groupSize: { target: 3, minimum: 3 }, ring: 32 } });
  await admin.post(`/v1/tasks/${task.id}/start`);
  stranger = await enrolled(4);
  for (const device of devices) {
    const { id } = (await device.assignment())!;
    await device.say(id, 'accept');
    await device.say(id, 'begin');
  }
}, 60_000);
afterAll(() => server.close());

describe('a device of a secure task', () => {
  it('may not say what its update is before it is masked', async () => {
    const { id } = (await devices[0]!.assignment())!;
    const answer = await devices[0]!.send<Problem>('POST', `/v1/device/assignments/${id}/ready`, {
      digest: sha256(new Uint8Array(1)),
      bytes: 1,
    });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid-request');
  });

  it('is in a group as soon as the last one is ready', async () => {
    const states: string[] = [];
    for (const [index, device] of devices.entries()) {
      const { id } = (await device.assignment())!;
      states.push((await device.say(id, 'ready', index === 0 ? {} : undefined)).state); // both are the same
    }
    expect(states).toEqual(['ready', 'ready', 'grouped']);
    assignments = await Promise.all(devices.map(async (device) => (await device.assignment())!));
    const groups = new Set(assignments.map(({ secure }) => secure?.groupId));
    expect(groups.size).toBe(1);
    path = `/v1/device/groups/${assignments[0]!.secure!.groupId!}`;
  });

  it('cannot upload before the group has come so far', async () => {
    const answer = await devices[0]!.upload(assignments[0]!.id, new Uint8Array(8));
    expect(answer.status).toBe(409);
  });
});

describe("a secure group's mailbox", () => {
  it('has the terms for its members, and nothing for others', async () => {
    const mail = await devices[0]!.ok<GroupMail>('GET', path);
    expect(mail.state).toBe('keys');
    expect(mail.messages.map((text) => kindOf(fromBase64Url(text)))).toEqual(['terms']);
    expect(mail.assignment.id).toBe(assignments[0]!.id);
    expect((await stranger.send('GET', path)).status).toBe(404);
    expect((await post(stranger, Uint8Array.of(1, 2))).status).toBe(404);
  });

  it('refuses what is no message, by its code, and stays as it was', async () => {
    for (const [bytes, refusal] of [
      [Uint8Array.of(), 'malformed'],
      [Uint8Array.of(9, 2), 'wrong-version'],
      [Uint8Array.of(1, 99), 'wrong-type'],
      [Uint8Array.of(1, 12), 'out-of-phase'],
      [Uint8Array.of(1, 2, ...new Uint8Array(224)), 'wrong-group'],
    ] as const) {
      const { status, body } = await post(devices[0]!, bytes);
      expect([status, body.code, body.refusal]).toEqual([422, 'group-message-refused', refusal]);
    }
    expect((await post(devices[0]!, new Uint8Array(128 * 1024 + 1))).status).toBe(413);
    const text = await devices[0]!.send('POST', `${path}/messages`, { a: 1 });
    expect(text.status).toBeGreaterThanOrEqual(400);
  });

  it('takes a message once however often it comes, and no other in its place or in its name', async () => {
    const keys = await keysOf(devices[0]!, assignments[0]!);
    for (let times = 0; times < 3; times++) {
      const { status, body } = await post(devices[0]!, keys);
      expect([status, body.messages]).toEqual([200, []]); // the terms were read: these keys answer them
    }
    const others = await post(devices[0]!, await keysOf(devices[0]!, assignments[0]!));
    expect(others.body.refusal).toBe('conflicting-message');
    expect((await post(devices[1]!, keys)).body.refusal).toBe('wrong-sender');
    await post(devices[1]!, await keysOf(devices[1]!, assignments[1]!));
    const last = await post(devices[2]!, await keysOf(devices[2]!, assignments[2]!));
    expect(last.body.state).toBe('shares');
    expect(last.body.messages.map((message) => kindOf(fromBase64Url(message)))).toEqual(['roster']);
  });
});

async function keysOf(device: RawDevice, assignment: Assignment): Promise<Uint8Array> {
  const { messages } = await device.ok<GroupMail>('GET', path);
  const crypto = await mixedProvider(webcrypto.subtle, (length) =>
    webcrypto.getRandomValues(new Uint8Array(length)),
  );
  const { publicKey } = identityFromSeed(device.seed);
  const environment: ClientEnvironment = {
    crypto,
    masks: bestMasks(),
    identity: { publicKey, sign: (message) => crypto.sign(device.seed, message) },
    policy: {
      ...{ minimum: 3, maximum: 5, corruptPermille: 0, privacyBits: 1, knows: () => true },
      taskDigest: fromHex(digestOfWork(assignment)),
      modelDigest: fromHex(assignment.model.weights),
    },
  };
  const { messages: answers } = await joinGroup(fromBase64Url(messages[0]!), environment);
  expect(toHex(answers[0]!.bytes)).not.toBe('');
  return answers[0]!.bytes;
}
