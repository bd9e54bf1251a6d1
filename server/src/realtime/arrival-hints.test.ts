import type { ProjectId, RoundId } from '@starling/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ArrivalHints } from './arrival-hints.ts';

const project = 'prj_1' as ProjectId;
const round = (name: string) => `rnd_${name}` as RoundId;

describe('hints of arrivals', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tell of a round once, however many devices arrive, and again after those that arrive later', () => {
    const told: string[] = [];
    const hints = new ArrivalHints((_project, id) => told.push(id));
    for (let device = 0; device < 1000; device++) hints.note(project, round(device % 2 === 0 ? 'a' : 'b'));
    expect(told).toEqual([]);
    vi.advanceTimersByTime(500);
    expect(told.sort()).toEqual(['rnd_a', 'rnd_b']);
    vi.advanceTimersByTime(5000);
    expect(told).toHaveLength(2);
    hints.note(project, round('a'));
    vi.advanceTimersByTime(500);
    expect(told).toHaveLength(3);
  });

  it('tell nothing after their end', () => {
    const told: string[] = [];
    const hints = new ArrivalHints((_project, id) => told.push(id));
    hints.note(project, round('a'));
    hints.end();
    vi.advanceTimersByTime(5000);
    expect(told).toEqual([]);
  });
});
