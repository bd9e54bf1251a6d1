import type { Eligibility } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { tooFewTogether, unmetCondition, type Situation } from './eligibility.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';

describe('unmetCondition', () => {
  it.each<[Eligibility, Situation, keyof Eligibility | undefined]>([
    [{}, { examples: 1 }, undefined],
    [{ minExamples: 10 }, { examples: 9 }, 'minExamples'],
    [{ minExamples: 10 }, { examples: 10 }, undefined],
    [{ charging: true }, { examples: 1, charging: false }, 'charging'],
    [{ charging: true }, { examples: 1, charging: true }, undefined],
    [{ charging: false }, { examples: 1, charging: false }, undefined],
    [{ unmetered: true }, { examples: 1, unmetered: false }, 'unmetered'],
    [{ idle: true }, { examples: 1, idle: false }, 'idle'],
    [{ minBattery: 0.5 }, { examples: 1, battery: 0.49 }, 'minBattery'],
    [{ minBattery: 0.5 }, { examples: 1, battery: 0.5 }, undefined],
    [{ minSeparationMs: 100 }, { examples: 1, sinceContributionMs: 99 }, 'minSeparationMs'],
    [{ minSeparationMs: 100 }, { examples: 1, sinceContributionMs: 100 }, undefined],
  ])('of %j for %j is %s', (rules, situation, unmet) => {
    expect(unmetCondition(rules, situation)).toBe(unmet);
  });

  it('lets nothing that the device cannot tell stand in the way', () => {
    const all = { charging: true, unmetered: true, idle: true, minBattery: 1, minSeparationMs: 1000 };
    expect(unmetCondition(all, { examples: 1 })).toBeUndefined();
  });
});

describe('tooFewTogether', () => {
  const secure = { ring: 32, minimum: 5, largest: 14, groupId: null } as const;

  it('declines smaller groups, and clear tasks where the app asks for groups', () => {
    expect(tooFewTogether(tinyAssignment(), {})).toBe(false);
    expect(tooFewTogether(tinyAssignment(), { minimumGroup: 3 })).toBe(true);
    expect(tooFewTogether(tinyAssignment({ secure }), { minimumGroup: 5 })).toBe(false);
    expect(tooFewTogether(tinyAssignment({ secure }), { minimumGroup: 6 })).toBe(true);
  });
});
