import { describe, expect, it } from 'vitest';
import { playRound, type DeviceRun, type RoundTerms } from './timeline.ts';

const windows = { selectingMs: 10_000, trainingMs: 60_000, aggregatingMs: 20_000 };
const terms = (spec: RoundTerms['spec'], more: Partial<RoundTerms> = {}): RoundTerms => ({
  ...{ spec, windows, secure: undefined, roundTripMs: 100 },
  ...more,
});
const secure = { groupSize: { target: 5, minimum: 3 }, ring: 32 } as const;

/** A device that takes 1 s down, as many seconds to compute as told, 1 s up. */
function run(device: number, computeS: number, more: Partial<DeviceRun> = {}): DeviceRun {
  return {
    ...{ device, declines: false, downMs: 1_000, computeMs: computeS * 1_000, upMs: 1_000 },
    vanishesAt: undefined,
    ...more,
  };
}

const play = (round: RoundTerms, runs: readonly DeviceRun[], failed: readonly number[] = []) =>
  playRound(round, [{ fromMs: 0, devices: runs }], new Set(failed));

describe('a round in virtual time', () => {
  it('ends with the update that reaches the goal, and drops who is slower', () => {
    const round = play(terms({ goal: 2, minimum: 2, target: 3 }), [run(0, 9), run(1, 3), run(2, 5)]);
    expect(round).toMatchObject({ outcome: 'published', asked: 3, trainingMs: 100 });
    expect(round.counted).toEqual([1, 2]);
    // accepted after a round trip; model, training, "begin", "ready", upload with its answer
    expect(round.endMs).toBe(100 + 1_000 + 5_000 + 200 + 1_000 + 100);
    expect([...round.dropped]).toEqual([['goal-reached', 1]]);
  });

  it('asks another for each that declines', () => {
    const runs = [
      run(0, 1, { declines: true }),
      run(1, 1),
      run(2, 1, { declines: true }),
      run(3, 1),
      run(4, 1),
    ];
    const round = play(terms({ goal: 2, minimum: 2, target: 2 }), runs);
    expect(round).toMatchObject({ asked: 4, accepted: [1, 3], trainingMs: 300 });
    expect([...round.dropped]).toEqual([['declined', 2]]);
  });

  it('goes on with the minimum when the window for asking closes, and without it not at all', () => {
    const runs = [run(0, 1), run(1, 1)];
    const some = play(terms({ goal: 3, minimum: 2, target: 4 }), runs);
    expect(some).toMatchObject({ outcome: 'published', trainingMs: windows.selectingMs, counted: [0, 1] });
    const few = play(terms({ goal: 3, minimum: 3, target: 4 }), runs);
    expect(few).toMatchObject({
      outcome: 'too-few-devices',
      endMs: windows.selectingMs,
      counted: [],
      downloads: 0,
    });
    expect([...few.dropped]).toEqual([['round-abandoned', 2]]);
  });

  it('takes in devices that come later in the window', () => {
    const arrivals = [
      { fromMs: 0, devices: [run(0, 1)] },
      { fromMs: 4_000, devices: [run(1, 1), run(2, 1)] },
    ];
    const round = playRound(terms({ goal: 2, minimum: 2, target: 2 }), arrivals, new Set());
    expect(round).toMatchObject({ accepted: [0, 1], trainingMs: 4_100 });
  });

  it('waits for the window where one vanished and the goal is not reached', () => {
    const runs = [run(0, 1), run(1, 1), run(2, 1, { vanishesAt: 0.2 })];
    const round = play(terms({ goal: 3, minimum: 2, target: 3 }), runs);
    expect(round).toMatchObject({ outcome: 'published', counted: [0, 1], endMs: 100 + windows.trainingMs });
    expect([...round.dropped]).toEqual([['late', 1]]);
  });

  it('waits for the last window where one vanished in its upload', () => {
    const runs = [run(0, 1), run(1, 1, { vanishesAt: 0.9 })];
    const round = play(terms({ goal: 2, minimum: 1, target: 2 }), runs);
    expect(round).toMatchObject({
      counted: [0],
      endMs: 100 + windows.trainingMs + windows.aggregatingMs,
    });
  });

  it('leaves out who is not ready in time, and abandons what falls below the minimum', () => {
    const runs = [run(0, 1), run(1, 90), run(2, 90)];
    const round = play(terms({ goal: 3, minimum: 2, target: 3 }), runs);
    expect(round).toMatchObject({ outcome: 'too-few-updates', counted: [], endMs: 100 + windows.trainingMs });
    expect(Object.fromEntries(round.dropped)).toEqual({ late: 2, 'round-abandoned': 1 });
  });

  it('puts the next in the place of one whose training fails', () => {
    const runs = [run(0, 1), run(1, 2), run(2, 3)];
    const round = play(terms({ goal: 2, minimum: 2, target: 3 }), runs, [0]);
    expect(round.counted).toEqual([1, 2]);
    expect([...round.dropped]).toEqual([['training-failed', 1]]);
  });

  it('sums groups that keep enough of their members, and loses those that do not', () => {
    const of = (vanishing: readonly number[]) =>
      Array.from({ length: 5 }, (_, device) =>
        run(device, 1, vanishing.includes(device) ? { vanishesAt: 0.95 } : {}),
      );
    const round = terms({ goal: 5, minimum: 3, target: 5 }, { secure });
    expect(play(round, of([]))).toMatchObject({
      counted: [0, 1, 2, 3, 4],
      groups: { summed: 1, aborted: 0 },
    });
    expect(play(round, of([2]))).toMatchObject({ counted: [0, 1, 3, 4], groups: { summed: 1, aborted: 0 } });
    const lost = play(round, of([1, 2]));
    expect(lost).toMatchObject({ outcome: 'too-few-updates', groups: { summed: 0, aborted: 1 } });
    expect([...lost.dropped]).toEqual([['group-aborted', 5]]);
  });

  it('leaves over whom no group will take', () => {
    const round = play(terms({ goal: 2, minimum: 2, target: 2 }, { secure }), [run(0, 1), run(1, 2)]);
    expect(round.outcome).toBe('too-few-updates');
    expect([...round.dropped]).toEqual([['no-group', 2]]);
  });
});
