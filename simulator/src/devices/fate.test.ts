import { describe, expect, it } from 'vitest';
import { randomStream } from '../data/random-stream.ts';
import { drawFate, isReached, moments } from './fate.ts';

const drawn = (share: number, isSecure: boolean, seed = 1) => {
  const stream = randomStream(seed, 'fates');
  return Array.from({ length: 2_000 }, () => drawFate(stream, share, isSecure));
};

describe('the fate of a device', () => {
  it('is the same for the same seed', () => {
    expect(drawn(0.2, true)).toEqual(drawn(0.2, true));
    expect(drawn(0.2, true)).not.toEqual(drawn(0.2, true, 2));
  });

  it('is to be killed in the share that was asked for, at every moment that there is', () => {
    const killed = drawn(0.2, true).flatMap((fate) => fate ?? []);
    expect(killed.length / 2_000).toBeGreaterThan(0.17);
    expect(killed.length / 2_000).toBeLessThan(0.23);
    expect(new Set(killed.map(({ moment }) => moment))).toEqual(
      new Set(moments.filter((moment) => moment !== 'reveal')),
    );
    expect(drawn(0, true).every((fate) => fate === undefined)).toBe(true);
    expect(drawn(1, false).every((fate) => fate !== undefined)).toBe(true);
  });

  it('in the clear is none that belongs to a secure group', () => {
    const found = drawn(1, false).map((fate) => fate?.moment);
    for (const moment of ['keys', 'shares', 'upload', 'signature', 'unmask']) {
      expect(found).not.toContain(moment);
    }
  });

  it('comes at its moment or, where that is passed over, at the next', () => {
    const fate = { moment: 'ready', awayMs: 0 } as const;
    expect(moments.filter((moment) => isReached(fate, moment))).toEqual(moments.slice(3));
  });
});
