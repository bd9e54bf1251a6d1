import { describe, expect, it } from 'vitest';
import { KillTally } from './kills.ts';

describe('the tally of kills', () => {
  it('counts kills by moment, and rounds that came to nothing', () => {
    const tally = new KillTally(0.2);
    for (const moment of ['keys', 'keys', 'training'] as const) tally.kill(moment);
    tally.round({ state: 'published', funnel: { states: { counted: 8 }, dropped: { late: 2 } } });
    tally.round({
      state: 'abandoned',
      funnel: { states: { dropped: 10 }, dropped: { 'group-aborted': 10 } },
    });
    expect(tally.report).toEqual({
      share: 0.2,
      killed: 3,
      moments: { keys: 2, training: 1 },
      roundsAbandoned: 1,
      groupsAborted: 1,
    });
    expect(tally.text).toContain('(last heard of at: keys 2, training 1)');
  });
});
