import { describe, expect, it } from 'vitest';
import { KeptBytes } from './kept-bytes.ts';
import { MemoryStorage } from './testing/memory-storage.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';

const [mine, other] = [tinyAssignment({}, 'a').id, tinyAssignment({}, 'b').id];

describe('KeptBytes', () => {
  it('gives back the same bytes after a restart, to their owner only', async () => {
    const storage = new MemoryStorage();
    await new KeptBytes(storage, 'update').keep(mine, Uint8Array.of(1, 2, 3));
    const kept = new KeptBytes(storage, 'update');
    expect(await kept.of(mine)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await kept.of(other)).toBeUndefined();
    expect(await new KeptBytes(storage, 'group').of(mine)).toBeUndefined();
  });

  it('keeps those of one: of what is in hand', async () => {
    const kept = new KeptBytes(new MemoryStorage(), 'update');
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
    expect(await new KeptBytes(storage, 'update').of(mine)).toBeUndefined();
  });
});
