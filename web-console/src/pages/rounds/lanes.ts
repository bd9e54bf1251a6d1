import type { ArrivalStation, RoundArrivals } from '@starling/protocol/api';

/** A phase of a round as a lane: what arrives in it, over time. */
export const phases = ['selecting', 'training', 'aggregating'] as const;
export type Phase = (typeof phases)[number];

/** Whose arrivals a lane shows: behind, those who entered its work; in front, those who finished it. */
const shown: Record<Phase, { behind?: ArrivalStation; front: ArrivalStation }> = {
  selecting: { behind: 'selected', front: 'accepted' },
  training: { behind: 'training', front: 'ready' },
  aggregating: { front: 'uploaded' },
};

export interface Level {
  readonly name: 'target' | 'goal' | 'minimum';
  readonly value: number;
  readonly y: number;
  /** Where its name stands: above the line, or below it where the line above is too near. */
  readonly textY: number;
}

export interface Dots {
  readonly station: ArrivalStation;
  readonly count: number;
  /** An SVG path of strokes without length, one a dot: drawn with round caps, it is a thousand dots in one element. */
  readonly path: string;
}

export interface Lane {
  readonly phase: Phase;
  readonly front: Dots;
  readonly behind: Dots | undefined;
  readonly levels: readonly Level[];
  /** While the phase lasted, in pixels; `null` if it did not begin. */
  readonly span: { readonly from: number; readonly to: number } | null;
  readonly ms: number | null;
}

export interface LaneFrame {
  /** Of the drawing, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Right end of the axis, in milliseconds since the round opened. */
  readonly endMs: number;
}

export interface Wanted {
  readonly target: number;
  readonly goal: number;
  readonly minimum: number;
}

/** The lanes of a round: dots at (time of arrival, how many had arrived by then), and lines at what the round wants. */
export function lanesOf(arrivals: RoundArrivals, wanted: Wanted, frame: LaneFrame): Lane[] {
  const begins: Record<Phase, number | null> = {
    selecting: 0,
    training: arrivals.trainingMs,
    aggregating: arrivals.aggregatingMs,
  };
  const ends: Record<Phase, number> = {
    selecting: arrivals.trainingMs ?? frame.endMs,
    training: frame.endMs, // groups start while others still train
    aggregating: frame.endMs,
  };
  const countOf = (station: ArrivalStation) => find(arrivals, station)?.count ?? 0;
  return phases.map((phase) => {
    const { behind, front } = shown[phase];
    const names = phase === 'selecting' ? (['target', 'minimum'] as const) : (['goal', 'minimum'] as const);
    const most = Math.max(
      1,
      ...names.map((name) => wanted[name]),
      countOf(front),
      behind ? countOf(behind) : 0,
    );
    const y = (count: number) => frame.height - (count / most) * (frame.height - margin) - low;
    const dots = (station: ArrivalStation): Dots => ({
      station,
      count: countOf(station),
      path: dotted(arrivals, station, (ms) => placeOf(ms, frame), y),
    });
    const begin = begins[phase];
    return {
      phase,
      front: dots(front),
      behind: behind && dots(behind),
      levels: names.map((name, index) => {
        const at = y(wanted[name]);
        const above = names[index - 1];
        const isNear = above !== undefined && at - y(wanted[above]) < 18;
        return { name, value: wanted[name], y: at, textY: isNear ? at + 13 : at - 5 };
      }),
      span:
        begin === null
          ? null
          : { from: placeOf(begin, frame), to: placeOf(Math.max(begin, ends[phase]), frame) },
      ms: begin === null ? null : Math.max(0, ends[phase] - begin),
    };
  });
}

/** Room above the highest dot (for the name of a line) and below the lowest together, and below alone, in pixels. */
const margin = 32;
const low = 8;

/** Where a moment lies on the axis, in pixels; a dot at either end is whole. */
export function placeOf(ms: number, { width, endMs }: Pick<LaneFrame, 'width' | 'endMs'>): number {
  const edge = 4;
  return edge + (Math.min(ms, endMs) / Math.max(1, endMs)) * (width - 2 * edge);
}

/** How many had arrived with the arrival at `index` of those that are listed: each `every`-th is, and the last one. */
export function rankOf(
  { count, every, offsetsMs }: Pick<RoundArrivals['stations'][number], 'count' | 'every' | 'offsetsMs'>,
  index: number,
): number {
  return index === offsetsMs.length - 1 ? count : index * every + 1;
}

function dotted(
  arrivals: RoundArrivals,
  station: ArrivalStation,
  x: (ms: number) => number,
  y: (count: number) => number,
): string {
  const found = find(arrivals, station);
  if (!found) return '';
  return found.offsetsMs
    .map((ms, index) => `M${x(ms).toFixed(1)} ${y(rankOf(found, index)).toFixed(1)}h0`)
    .join('');
}

function find(arrivals: RoundArrivals, wanted: ArrivalStation) {
  return arrivals.stations.find(({ station }) => station === wanted);
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * second),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 5, 10, 20, 50].map((days) => days * day),
];

/** Moments for the axis, at round distances that leave each `room` pixels. */
export function ticksOf(frame: Pick<LaneFrame, 'width' | 'endMs'>, room = 88): number[] {
  const most = Math.max(1, Math.floor(frame.width / room));
  const step = steps.find((each) => frame.endMs / each <= most) ?? frame.endMs;
  return Array.from({ length: Math.floor(frame.endMs / step) + 1 }, (_, index) => index * step);
}
