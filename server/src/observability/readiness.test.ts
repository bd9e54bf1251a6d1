import { describe, expect, it, vi } from 'vitest';
import { Readiness } from './readiness.ts';

describe('readiness', () => {
  it('names what fails, and is asked once a second however many ask', async () => {
    let now = 0;
    let isThere = true;
    const passes = vi.fn(() => (isThere ? Promise.resolve() : Promise.reject(new Error('password=hunter2'))));
    const readiness = new Readiness([{ name: 'database', passes }], () => now);
    const states = await Promise.all([readiness.state(), readiness.state(), readiness.state()]);
    expect(states.every(({ ready }) => ready)).toBe(true);
    expect(passes).toHaveBeenCalledTimes(1);
    isThere = false;
    expect((await readiness.state()).ready).toBe(true);
    now = 1_000;
    const state = await readiness.state();
    expect(state).toMatchObject({ ready: false, reasons: ['database: no good answer within 2000 ms'] });
    expect(JSON.stringify(state)).not.toContain('hunter2');
  });

  it('does not wait for what never answers, nor ask it again before it has', async () => {
    vi.useFakeTimers();
    let now = 0;
    const passes = vi.fn(() => new Promise(() => undefined));
    const readiness = new Readiness([{ name: 'blobs', passes }], () => now);
    for (now of [0, 5_000, 10_000]) {
      const state = readiness.state();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await state).toMatchObject({ ready: false });
    }
    expect(passes).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });

  it('ends with draining, whatever the checks say', async () => {
    const readiness = new Readiness([{ name: 'uploads', passes: () => Promise.resolve() }]);
    expect((await readiness.state()).ready).toBe(true);
    readiness.drain();
    expect(await readiness.state()).toMatchObject({
      ready: false,
      reasons: ['draining: the server is about to end'],
    });
  });
});
