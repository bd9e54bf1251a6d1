import { describe, expect, it } from 'vitest';
import { tookMs } from './duration.ts';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();

describe('how long a job took', () => {
  it('is unknown before it was started, runs with the clock, and stands still after its end', () => {
    expect(tookMs({ startedAt: null, endedAt: null }, 9_000)).toBeNull();
    expect(tookMs({ startedAt: at(2), endedAt: null }, 9_000)).toBe(7_000);
    expect(tookMs({ startedAt: at(2), endedAt: at(5) }, 9_000)).toBe(3_000);
  });

  it('is never negative, though the clock of the page be behind', () => {
    expect(tookMs({ startedAt: at(20), endedAt: null }, 9_000)).toBe(0);
  });
});
