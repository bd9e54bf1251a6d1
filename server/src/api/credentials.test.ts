import { ProblemError, makeId } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import type { CallerIdentity } from '../access/caller.ts';
import { RateLimits } from '../access/rate-limits.ts';
import { limited } from './credentials.ts';

const caller: CallerIdentity = {
  actor: makeId('key', 'K'.repeat(22)),
  role: 'viewer',
  projectId: makeId('project', 'P'.repeat(22)),
};

/** An address at which two wrong credentials are borne, and who looks for what there. */
function world() {
  const limits = new RateLimits({ refused: { burst: 2, perSecond: 1 } }, () => 0);
  let looked = 0;
  const asks = async (secret: string, isGood: boolean, address = 'here') => {
    const credential = { kind: 'key', secret } as const;
    const answer = await limited(address, credential, limits, () => {
      looked++;
      if (isGood) return Promise.resolve(caller);
      return Promise.reject(new ProblemError('unauthenticated', 'No such key.'));
    }).catch((error: unknown) => error);
    return answer instanceof ProblemError ? answer.code : 'let in';
  };
  return { asks, looked: () => looked };
}

describe('an address that guesses credentials', () => {
  it('is asked to wait before anything is looked up', async () => {
    const { asks, looked } = world();
    for (const guess of ['a', 'b']) expect(await asks(guess, false)).toBe('unauthenticated');
    expect(await asks('c', false)).toBe('rate-limited');
    expect(await asks('d', true)).toBe('rate-limited');
    expect(looked()).toBe(2);
    expect(await asks('d', true, 'elsewhere')).toBe('let in');
  });

  it('does not shut out who was let in there lately, until their credential ends', async () => {
    const { asks } = world();
    expect(await asks('mine', true)).toBe('let in');
    for (const guess of ['a', 'b', 'c']) await asks(guess, false);
    expect(await asks('mine', true)).toBe('let in');
    expect(await asks('mine', false)).toBe('rate-limited'); // it was revoked
    expect(await asks('mine', true)).toBe('rate-limited');
  });
});
