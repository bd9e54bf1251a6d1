import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UpdateBuffers } from './update-buffers.ts';

describe('buffers of updates', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are used again for an update of the same length, and for no other', () => {
    const buffers = new UpdateBuffers(100);
    const first = buffers.take(40);
    expect(first).toHaveLength(40);
    expect(buffers.take(40)).not.toBe(first);
    buffers.giveBack(first);
    expect(buffers.take(39)).not.toBe(first);
    expect(buffers.take(40)).toBe(first);
    expect(buffers.take(40)).not.toBe(first);
  });

  it('are kept up to so many bytes; those that were given back first are let go', () => {
    const buffers = new UpdateBuffers(100);
    const [first, second, third] = [buffers.take(40), buffers.take(40), buffers.take(40)];
    for (const buffer of [first, second, third]) buffers.giveBack(buffer);
    expect([buffers.take(40), buffers.take(40)]).toEqual([third, second]);
    const large = buffers.take(101);
    buffers.giveBack(large);
    expect(buffers.take(101)).not.toBe(large);
  });

  it('are let go a second after the last was given back', () => {
    const buffers = new UpdateBuffers(100);
    const [first, second] = [buffers.take(40), buffers.take(40)];
    buffers.giveBack(first);
    vi.advanceTimersByTime(999);
    buffers.giveBack(second);
    vi.advanceTimersByTime(999);
    expect(buffers.take(40)).toBe(second);
    vi.advanceTimersByTime(1);
    expect(buffers.take(40)).not.toBe(first);
  });
});
