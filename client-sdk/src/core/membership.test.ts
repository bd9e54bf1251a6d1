import { toHex } from '@starling/protocol';
import { decodeRingSum, identityFromSeed } from '@starling/secure';
import { describe, expect, it } from 'vitest';
import { policyOf } from './membership.ts';
import { layoutOf, ringUpdate } from './ring-update.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';
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

describe('an update on the ring', () => {
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
