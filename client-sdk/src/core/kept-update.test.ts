import { describe, expect, it } from 'vitest';
import { KeptUpdate } from './kept-update.ts';
import { MemoryStorage } from './testing/memory-storage.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';

const [mine, other] = [tinyAssignment({}, 'a').id, tinyAssignment({}, 'b').id];

describe('KeptUpdate', () => {
  it('gives back the same bytes after a restart, to their assignment only', async () => {
    const storage = new MemoryStorage();
    await new KeptUpdate(storage).keep(mine, Uint8Array.of(1, 2, 3));
    const kept = new KeptUpdate(storage);
    expect(await kept.of(mine)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await kept.of(other)).toBeUndefined();
  });

  it('keeps one update: that of the assignment in hand', async () => {
    const kept = new KeptUpdate(new MemoryStorage());
    await kept.keep(mine, Uint8Array.of(1));
    await kept.keep(other, Uint8Array.of(2));
    expect(await kept.of(mine)).toBeUndefined();
    expect(await kept.of(other)).toEqual(Uint8Array.of(2));
    await kept.forget();
    expect(await kept.of(other)).toBeUndefined();
  });

  it('reads damaged storage as nothing', async () => {
    const storage = new MemoryStorage();
    await storage.set('update', Uint8Array.of(mine.length, 65));
    expect(await new KeptUpdate(storage).of(mine)).toBeUndefined();
  });
});
