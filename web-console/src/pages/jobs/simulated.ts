import type { CurvePoint, Curves } from '@starling/protocol/api';
import { isObject, type Json, type JsonObject } from '../../components/plan/document.ts';

/** What a simulation found out, as its job left it (docs/simulate.md). */
export interface Simulated {
  /** Published rounds as a server would tell of them; virtual time begins with 1970. */
  readonly curves: Curves;
  readonly completed: boolean;
  readonly virtualMs: number;
  readonly deviceMs: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
  readonly counted: number;
  readonly abandoned: number;
  /** Virtual devices that trained. */
  readonly devices: number;
}

const begin = new Date(0).toISOString();

/** Reads the metrics of a job; `undefined` for those that are no report of a simulation. */
export function simulatedOf(metrics: object | null): Simulated | undefined {
  const report = metrics as JsonObject | null; // it came as JSON
  const forecast = report?.['forecast'];
  const rounds = report?.['rounds'];
  if (!report || !isObject(forecast ?? null) || !Array.isArray(rounds)) return undefined;
  const totals = forecast as JsonObject; // checked above
  const ended = isObject(totals['rounds'] ?? null) ? (totals['rounds'] as JsonObject) : {};
  return {
    curves: { startedAt: begin, points: (rounds as readonly Json[]).flatMap(pointOf) },
    completed: report['outcome'] === 'completed',
    virtualMs: numberIn(totals, 'virtualMs'),
    deviceMs: numberIn(totals, 'deviceMs'),
    bytesDown: numberIn(totals, 'bytesDown'),
    bytesUp: numberIn(totals, 'bytesUp'),
    counted: numberIn(totals, 'counted'),
    abandoned: numberIn(ended, 'abandoned'),
    devices: numberIn(report, 'devices'),
  };
}

function pointOf(round: Json): CurvePoint[] {
  if (!isObject(round) || round['outcome'] !== 'published' || !isObject(round['metrics'] ?? null)) return [];
  const { kind, metrics } = round as unknown as { kind: CurvePoint['kind']; metrics: JsonObject }; // as the simulator writes it
  if (kind === 'statistics') return [];
  return [
    {
      round: 'rnd_simulated' as CurvePoint['round'], // there is none: nothing leads to it
      sequence: numberIn(round, 'sequence'),
      kind,
      number: numberIn(round, 'number'),
      endedAt: new Date(numberIn(round, 'endMs')).toISOString(),
      devices: numberIn(round, 'counted'),
      bytesUp: numberIn(round, 'bytesUp'),
      training: kind === 'training' ? (metrics as unknown as CurvePoint['training']) : null,
      evaluation: kind === 'evaluation' ? (metrics['results'] as unknown as CurvePoint['evaluation']) : null,
    },
  ];
}

function numberIn(object: JsonObject, name: string): number {
  const value = object[name];
  return typeof value === 'number' ? value : 0;
}
