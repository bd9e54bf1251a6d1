import type { CurvePoint, Curves } from '@starling/protocol/api';
import type { ChartTable } from './drawn-chart.ts';

/** One line of a chart of learning. */
export interface Line {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | undefined)[];
}

/** What a chart should hold: every place where one of its lines has a value, in order. */
export function tableOf(axis: string, lines: readonly Line[]): ChartTable {
  const places = [...new Set(lines.flatMap(({ x }) => x))].sort((a, b) => a - b);
  return {
    head: [axis, ...lines.map(({ name }) => name)],
    rows: places.map((place) => [place, ...lines.map(({ x, y }) => y[x.indexOf(place)] ?? null)]),
  };
}

/** Where the points of a task stand on an axis. */
const placesOn: Record<string, (curves: Curves) => number[]> = {
  'Training round': ({ points }) => points.map(({ number }) => number),
  'Minutes since the first round': ({ startedAt, points }) =>
    points.map(({ endedAt }) => (Date.parse(endedAt) - Date.parse(startedAt ?? '')) / 60_000),
  'Updates received': ({ points }) =>
    points.map((_, index) => points.slice(0, index + 1).reduce((sum, { bytesUp }) => sum + bytesUp, 0)),
};

/** The line of what `read` finds in the points of a task; points without it are none of its. */
export function lineOf(
  name: string,
  curves: Curves,
  read: (point: CurvePoint) => number | undefined,
  axis = 'Training round',
): Line {
  const places = placesOn[axis]?.(curves) ?? [];
  const found = curves.points.flatMap((point, index) => {
    const y = read(point);
    return y === undefined ? [] : [{ x: places[index]!, y }];
  });
  return { name, x: found.map(({ x }) => x), y: found.map(({ y }) => y) };
}
