import type { RoundId } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { healthOf } from './health.ts';

const round = (sequence: number, changes: object = {}) => ({
  round: `rnd_${sequence}` as RoundId,
  ...{ sequence, groups: 2, summed: 2, aborted: 0, abortedBy: {}, devices: 20, lost: 0, unused: 0 },
  ...{ smallest: 10, largest: 10, needed: 7, medianMs: 1000 },
  ...changes,
});

describe('the health of groups over rounds', () => {
  it('adds up groups and devices, not shares of rounds', () => {
    const health = healthOf({
      rounds: [
        round(1, { lost: 2 }),
        round(2, { groups: 8, summed: 6, aborted: 2, devices: 80, lost: 8, unused: 20 }),
      ],
    });
    expect(health).toMatchObject({ groups: 10, aborted: 2, abortedShare: 0.2, lostShare: 0.1 });
  });

  it('tells of the smallest group what it needed, and why groups were aborted', () => {
    const health = healthOf({
      rounds: [
        round(1, { abortedBy: { 'too-few-keys': 1 } }),
        round(2, { smallest: 4, needed: 3, medianMs: 3000, abortedBy: { 'too-few-keys': 1, cancelled: 3 } }),
        round(3, { medianMs: null }),
      ],
    });
    expect(health).toMatchObject({ smallest: 4, needed: 3, medianMs: 3000 });
    expect(Object.fromEntries(health.abortedBy)).toEqual({ 'too-few-keys': 2, cancelled: 3 });
  });

  it('of no rounds is nothing', () => {
    expect(healthOf({ rounds: [] })).toMatchObject({
      groups: 0,
      abortedShare: 0,
      lostShare: 0,
      medianMs: null,
    });
  });
});
