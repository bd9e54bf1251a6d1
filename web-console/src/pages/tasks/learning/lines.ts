import { lineColour } from '../../../components/chart/colours.ts';
import { smoothed, type Series } from '../../../components/chart/series.ts';
import { evaluationCurve, trainingCurve, type Axis, type Judged, type Measure } from './curves.ts';
import type { Run } from './use-runs.ts';

/** How curves are shown. */
export interface View {
  readonly axis: Axis;
  readonly measure: Measure;
  /** Share of the past that stays at each point, 0 to below 1. */
  readonly smoothing: number;
}

/** Names of the lines, in the language of the page. */
export interface LineNames {
  readonly before: string;
  readonly after: string;
  readonly low: string;
  readonly high: string;
  readonly worst: string;
  /** The name of a line of one of several tasks. */
  readonly of: (task: string, line: string) => string;
}

/** Lines of the training rounds of tasks: before learning dashed, after it whole, a colour for each task. */
export function trainingLines(runs: readonly Run[], view: View, names: LineNames): Series[] {
  return runs.flatMap(({ task, curves }, index) => {
    const { x, before, after } = trainingCurve(curves, view.axis, view.measure);
    if (x.length === 0) return [];
    const named = (line: string) => (runs.length > 1 ? names.of(task.name, line) : line);
    const look = { x, colour: lineColour(index), points: x.length < 3 };
    return [
      { ...look, name: named(names.after), y: smoothed(after, view.smoothing) },
      { ...look, name: named(names.before), y: smoothed(before, view.smoothing), dashed: true },
    ];
  });
}

/** Lines of the evaluation rounds of tasks. The spread over devices is drawn for the first of them alone. */
export function evaluationLines(
  runs: readonly Run[],
  view: View,
  judged: Judged,
  names: LineNames,
): Series[] {
  const lines: Series[] = [];
  for (const [index, { task, curves }] of runs.entries()) {
    const curve = evaluationCurve(curves, view.axis, view.measure, judged);
    if (curve.x.length === 0) continue;
    const named = (line: string) => (runs.length > 1 ? names.of(task.name, line) : line);
    const look = { x: curve.x, colour: lineColour(index) };
    const points = curve.x.length < 30;
    const y = (values: (number | null)[]) => smoothed(values, view.smoothing);
    lines.push(
      { ...look, name: named(names.after), y: y(curve.after), points },
      { ...look, name: named(names.before), y: y(curve.before), dashed: true, points },
    );
    if (index > 0 || view.measure !== 'accuracy') continue;
    const faint = { x: curve.x, colour: '#7a9a95' };
    lines.push(
      { ...faint, name: named(names.high), y: y(curve.high), fillTo: lines.length + 1 },
      { ...faint, name: named(names.low), y: y(curve.low) },
      { x: curve.x, colour: '#c7373a', name: named(names.worst), y: y(curve.worst), points },
    );
  }
  return lines;
}
