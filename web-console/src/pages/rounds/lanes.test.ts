import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalStations, type RoundArrivals } from '@starling/protocol/api';
import { lanesOf, placeOf, rankOf, ticksOf } from './lanes.ts';

const frame = { width: 408, height: 116, endMs: 1000 };

function arrivals(
  times: Partial<Record<string, number[]>>,
  more: Partial<RoundArrivals> = {},
): RoundArrivals {
  return {
    nowMs: 1000,
    trainingMs: null,
    aggregatingMs: null,
    stations: arrivalStations.map((station) => {
      const offsetsMs = times[station] ?? [];
      return { station, count: offsetsMs.length, every: 1, offsetsMs };
    }),
    ...more,
  };
}

describe('the lanes of a round', () => {
  it('put a dot at the time of each arrival and the number arrived by then', () => {
    const [selecting] = lanesOf(
      arrivals({ selected: [0, 0], accepted: [0, 500] }),
      { target: 10, goal: 8, minimum: 5 },
      frame,
    );
    expect(selecting?.front).toEqual({ station: 'accepted', count: 2, path: 'M4.0 99.6h0M204.0 91.2h0' });
    expect(selecting?.behind?.count).toBe(2);
    expect(selecting?.levels).toEqual([
      { name: 'target', value: 10, y: 24, textY: 19 },
      { name: 'minimum', value: 5, y: 66, textY: 61 },
    ]);
  });

  it('span from where a phase began to where the next did, and not at all before', () => {
    const wanted = { target: 2, goal: 2, minimum: 1 };
    const [selecting, training, aggregating] = lanesOf(arrivals({}, { trainingMs: 250 }), wanted, frame);
    expect(selecting).toMatchObject({ span: { from: 4, to: 104 }, ms: 250 });
    expect(training).toMatchObject({ span: { from: 104, to: 404 }, ms: 750 });
    expect(aggregating).toMatchObject({ span: null, ms: null });
  });

  it('name a line below it when the one above is near', () => {
    const [, training] = lanesOf(arrivals({}), { target: 10, goal: 10, minimum: 9 }, frame);
    const [goal, minimum] = training?.levels ?? [];
    expect(goal?.textY).toBeLessThan(goal?.y ?? 0);
    expect(minimum?.textY).toBeGreaterThan(minimum?.y ?? 0);
  });

  it('make room for more arrivals than were wanted', () => {
    const many = Array.from({ length: 40 }, (_, index) => index * 25);
    for (const lane of lanesOf(
      arrivals({ selected: many, uploaded: many }),
      { target: 4, goal: 3, minimum: 2 },
      frame,
    )) {
      for (const { y } of lane.levels) expect(y).toBeGreaterThanOrEqual(0);
      for (const [, y] of lane.front.path.matchAll(/ ([\d.-]+)h0/g)) {
        expect(Number(y)).toBeGreaterThanOrEqual(0);
        expect(Number(y)).toBeLessThanOrEqual(frame.height);
      }
    }
  });
});

describe('thinned arrivals', () => {
  it('keep the number that had arrived: each n-th, and the last', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }), (count, every) => {
        const listed = Array.from({ length: count }, (_, index) => index + 1).filter(
          (rank) => (rank - 1) % every === 0 || rank === count,
        );
        const station = { count, every, offsetsMs: listed };
        expect(listed.map((_, index) => rankOf(station, index))).toEqual(listed);
      }),
    );
  });
});

describe('the axis of time', () => {
  it('has round moments from the opening on, with room for their names', () => {
    expect(ticksOf({ width: 400, endMs: 10_000 })).toEqual([0, 5000, 10_000]);
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 3000 }),
        fc.integer({ min: 1, max: 30 * 86_400_000 }),
        (width, endMs) => {
          const ticks = ticksOf({ width, endMs });
          expect(ticks[0]).toBe(0);
          expect(ticks.at(-1)).toBeLessThanOrEqual(endMs);
          expect(ticks.length - 1).toBeLessThanOrEqual(Math.max(1, width / 88));
        },
      ),
    );
  });

  it('keeps every moment inside', () => {
    expect([0, 500, 1000, 2000].map((ms) => placeOf(ms, frame))).toEqual([4, 204, 404, 404]);
  });
});
