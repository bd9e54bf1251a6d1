import { Eligibility } from '@starling/protocol/schemas';
import { describe, expect, it } from 'vitest';
import { devices } from '../../i18n/en/devices.ts';
import { unmetIn } from './declined.ts';

describe('why a device declined', () => {
  it('is the condition that it names', () => {
    expect(unmetIn('declined: ineligible:charging')).toBe('charging');
    expect(unmetIn('declined: no-data')).toBe('no-data');
    expect(unmetIn('declined')).toBeUndefined();
    expect(unmetIn('late')).toBeUndefined();
    expect(unmetIn('training-failed: ineligible:charging')).toBeUndefined();
  });

  it('has words for every condition that a plan may set', () => {
    expect(Object.keys(devices.declined)).toEqual(
      expect.arrayContaining(Object.keys(Eligibility.properties)),
    );
  });
});
