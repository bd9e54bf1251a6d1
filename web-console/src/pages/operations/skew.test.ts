import { describe, expect, it } from 'vitest';
import { standingOf } from './skew.ts';

describe('the version of an SDK beside the server', () => {
  it.each([
    ['0.1.0', '0.1.0', 'same'],
    ['0.1.0', '0.2.0', 'older'],
    ['0.9.9', '0.10.0', 'older'],
    ['1.0.0', '0.10.0', 'newer'],
    ['0.10.1', '0.10.0', 'newer'],
    ['0.1.0-rc.1', '0.1.0', 'other'],
    ['of a bench', '0.1.0', 'other'],
  ])('%s beside %s is %s', (sdk, server, standing) => {
    expect(standingOf(sdk, server)).toBe(standing);
  });
});
