import {
  digestOfWork,
  fromHex,
  makeId,
  readSafetensors,
  toBase64Url,
  toHex,
  utf8Encode,
  type GroupId,
} from '@starling/protocol';
import { decodeRingSum, encodeTerms, identityFromSeed, kindOf } from '@starling/secure';
import { describe, expect, it } from 'vitest';
import { DeviceError } from './errors.ts';
import { KeptBytes } from './kept-bytes.ts';
import { Logbook } from './logbook.ts';
import { memberships, policyOf } from './membership.ts';
import { layoutOf, ringUpdate } from './ring-update.ts';
import type { Session } from './session.ts';
import { fakeHost, type FakeHost } from './testing/fake-host.ts';
import { FakeServer } from './testing/fake-server.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';
import { tinySize } from './testing/tiny-model.ts';
import { updateFile } from './update-file.ts';

const secure = { ring: 32, minimum: 5, largest: 14, groupId: null } as const;
const assignment = tinyAssignment({ secure });

describe('what a device holds its group to', () => {
  it('is the minimum of the task, or its own where that is higher, and never below three', () => {
    expect(policyOf(assignment, {}).minimum).toBe(5);
    expect(policyOf(assignment, { minimumGroup: 8 }).minimum).toBe(8);
    expect(policyOf(tinyAssignment({ secure: { ...secure, minimum: 1 } }), {}).minimum).toBe(3);
    expect(policyOf(assignment, {}).maximum).toBe(14);
  });

  it('is an encoding whose sums cannot overflow, by its own reckoning', () => {
    const crowded = tinyAssignment({ secure: { ...secure, ring: 16, largest: 4096 } });
    expect(() => policyOf(crowded, {})).toThrow(expect.objectContaining({ code: 'sum-overflow' }) as Error);
    const wide = assignment.blocks.map((block) => ({ ...block, clip: 2 ** 30 }));
    expect(() => policyOf({ ...assignment, blocks: wide }, {})).toThrow('bits; 53 are exact');
  });

  it('is another task when anything of the work is another, but not when it is seen in another state', () => {
    const digest = (changes: object) => toHex(policyOf({ ...assignment, ...changes }, {}).taskDigest);
    expect(digest({ state: 'grouped', remainingMs: 1 })).toBe(digest({}));
    for (const changes of [
      { maxWeight: 1 },
      { secure: { ...secure, minimum: 4 } },
      { work: { kind: 'statistics' } },
      { model: { ...assignment.model, weights: '0'.repeat(64) } },
      { roundId: 'rnd_other' },
    ]) {
      expect(digest(changes)).not.toBe(digest({}));
    }
  });

  it('asks the app about others', async () => {
    const { publicKey } = identityFromSeed(new Uint8Array(32));
    expect(await policyOf(assignment, {}).knows(publicKey)).toBe(true);
    expect(
      await policyOf(assignment, { knows: (key) => toHex(key) !== toHex(publicKey) }).knows(publicKey),
    ).toBe(false);
  });
});

describe('a device that is put into groups', () => {
  const groupId = (letter: string) => makeId('group', letter.repeat(22));
  const grouped = (letter: string) =>
    tinyAssignment({ state: 'grouped', secure: { ...secure, groupId: groupId(letter) } });
  const termsOf = (letter: string) => {
    const { taskId, roundId, model } = assignment;
    return encodeTerms({
      ...{ task: taskId, round: roundId, group: groupId(letter) },
      taskDigest: fromHex(digestOfWork(assignment)),
      modelDigest: fromHex(model.weights),
      ...{ ring: 32, length: layoutOf(assignment).length, minimum: 5 },
      ...{ corruptPermille: 100, dropOutPermille: 100, privacyBits: 40, correctnessBits: 20 },
    });
  };
  /** A device with this storage that is told the terms of a group; what it sends. */
  const told = async (host: FakeHost, letter: string) => {
    const sent: Uint8Array[] = [];
    const standing = grouped(letter);
    const mail = { state: 'keys', messages: [toBase64Url(termsOf(letter))], assignment: standing };
    const session = {
      get: () => Promise.resolve(mail),
      send: ({ body }: { body: Uint8Array }) => {
        sent.push(body);
        return Promise.resolve({
          status: 200,
          header: () => undefined,
          body: utf8Encode(JSON.stringify(mail)),
        });
      },
    } as unknown as Session; // these two are all that a membership uses
    const logbook = new Logbook(host);
    await logbook.agree(standing);
    const keptGroup = new KeptBytes<GroupId>(host.storage, 'group');
    const parts = { host, session, keptGroup, logbook, secure: {} };
    const update = updateFile(assignment, {
      values: { parameters: new Float32Array(tinySize), metrics: new Float64Array(6) },
      weight: 1,
    });
    const joined = memberships(host)(parts, standing, update).advance(new AbortController().signal);
    const outcome = await joined.then(
      () => 'answered',
      (error: unknown) => (error instanceof DeviceError ? error.code : error),
    );
    return { outcome, sent };
  };

  it('answers the terms of the first with the same keys after each start, and no other for the same update', async () => {
    const host = fakeHost(new FakeServer());
    const first = await told(host, 'g');
    expect(first.outcome).toBe('answered');
    expect(first.sent.map((bytes) => kindOf(bytes))).toEqual(['keys']);
    expect(await told(host, 'g')).toEqual(first);
    expect(await told(host, 'h')).toEqual({ outcome: 'second-group', sent: [] });
  });

  it('does not come back to a group whose state it lost', async () => {
    const host = fakeHost(new FakeServer());
    await told(host, 'g');
    await host.storage.delete('group');
    expect(await told(host, 'g')).toEqual({ outcome: 'group-state-lost', sent: [] });
  });
});

describe('an update on the ring', () => {
  it('is one word of 16 bits for each parameter, the integer of its place on the grid', () => {
    const [parameters, ...others] = assignment.blocks;
    const block = { ...parameters!, scaleBits: 10, clip: 1, rounding: 'stochastic' } as const;
    const short = tinyAssignment({
      blocks: [block, ...others],
      maxWeight: 1,
      secure: { ...secure, ring: 16 },
    });
    const values = {
      parameters: Float32Array.from({ length: block.size }, (_, at) => Math.sin(at)),
      metrics: new Float64Array(others[0]!.size),
    };
    const file = updateFile(short, { values, weight: 1 });
    const vector = ringUpdate(short, file);
    const written = [...readSafetensors(file).tensors.get('parameters')!.data].map(Number);
    expect([...vector.subarray(0, block.size)]).toEqual(written.map((value) => (value * 1024) & 0xffff));
    const { lanes } = decodeRingSum(layoutOf(short), vector, 1);
    expect([...lanes[0]!]).toEqual(written.map((value) => value * 1024 + 0));
    expect(written).not.toEqual([...values.parameters]);
  });

  it('says what the update file says', () => {
    const [parameters, metrics] = assignment.blocks;
    const values = {
      parameters: Float32Array.from({ length: parameters!.size }, (_, at) => Math.cos(at)),
      metrics: Float64Array.from({ length: metrics!.size }, (_, at) => at - 2),
    };
    const vector = ringUpdate(assignment, updateFile(assignment, { values, weight: 7 }));
    const { lanes, weight } = decodeRingSum(layoutOf(assignment), vector, 1);
    expect(weight).toBe(7);
    expect([...lanes[0]!]).toEqual(
      [...values.parameters].map((value) => 7 * Math.sign(value) * Math.round(Math.abs(value) * 2 ** 24)),
    );
    expect([...lanes[1]!]).toEqual([...values.metrics].map((value) => value * 2 ** 20));
  });
});
