import { describe, expect, it } from 'vitest';
import { Batches } from './batches.ts';

describe('batches', () => {
  it('do together what comes while one is under way, and answer each with its own', async () => {
    const sizes: number[] = [];
    const doubled = new Batches<number, number>((items) => {
      sizes.push(items.length);
      return Promise.resolve(items.map((item) => 2 * item));
    });
    expect(await doubled.add(1)).toBe(2);
    expect(await Promise.all(Array.from({ length: 100 }, (_, item) => doubled.add(item)))).toEqual(
      Array.from({ length: 100 }, (_, item) => 2 * item),
    );
    expect(sizes).toEqual([1, 100]);
  });

  it('let an item of the next batch see what the one before did', async () => {
    let written = 0;
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const seen = new Batches<'write' | 'read', number>(async (items) => {
      if (items.includes('write')) {
        await held;
        written++;
      }
      return items.map(() => written);
    });
    const first = seen.add('write');
    await new Promise((resolve) => setImmediate(resolve));
    const second = seen.add('read');
    release?.();
    expect([await first, await second]).toEqual([1, 1]);
  });

  it('keep keys apart, and go on after a batch that failed', async () => {
    const batches = new Batches<string, string>(
      (items, key) => (key === 'bad' ? Promise.reject(new Error('bad')) : Promise.resolve([...items])),
      (item) => item,
    );
    const [good, bad] = await Promise.allSettled([batches.add('good'), batches.add('bad')]);
    expect(good).toEqual({ status: 'fulfilled', value: 'good' });
    expect(bad.status).toBe('rejected');
    await expect(batches.add('bad')).rejects.toThrow('bad');
    expect(await batches.add('good')).toBe('good');
  });
});
