import { fromHex, makeId } from '@starling/protocol';
import type { ClientState } from '@starling/secure';
import { describe, expect, it } from 'vitest';
import { KeptGroup } from './kept-group.ts';
import { MemoryStorage } from './testing/memory-storage.ts';

const id = makeId('group', 'a'.repeat(22));
const state: ClientState = {
  version: 1,
  phase: 'keys',
  terms: fromHex('0101'),
  context: new Uint8Array(32).fill(1),
  seed: new Uint8Array(32).fill(2),
  maskSecret: new Uint8Array(32).fill(3),
  shareSecret: new Uint8Array(32).fill(4),
  keys: fromHex('0102'),
};

describe('the kept place in a group', () => {
  it('is there again after a restart, for its own group only', async () => {
    const storage = new MemoryStorage();
    await new KeptGroup(storage).keep(id, state);
    expect(await new KeptGroup(storage).of(id)).toEqual(state);
    expect(await new KeptGroup(storage).of(makeId('group', 'b'.repeat(22)))).toBeUndefined();
  });

  it('is nothing once forgotten, and nothing when it cannot be read', async () => {
    const storage = new MemoryStorage();
    const kept = new KeptGroup(storage);
    expect(await kept.of(id)).toBeUndefined();
    await kept.keep(id, state);
    const [key, value] = [...storage.values][0]!;
    storage.values.set(key, value.subarray(0, value.length - 20));
    expect(await kept.of(id)).toBeUndefined();
    await kept.forget();
    expect(storage.values.size).toBe(0);
  });
});
