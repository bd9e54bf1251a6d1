import type { EvaluationMetrics, EvaluationResult, TrainingMetrics } from '@starling/protocol';
import type { Forecast, RoundReport, SimulationReport } from '@starling/simulator/simulation';

const widths = [12, 14, 14, 7, 9, 6, 15, 17, 8] as const;
const header = ['round', 'at', 'lasts', 'asked', 'counted', 'lost', 'loss', 'accuracy', 'MB up'];

/** Rounds as they come: about thirty training rounds, and all others. */
export class RoundTable {
  readonly #out: { write(text: string): unknown };
  readonly #every: number;
  #isEmpty = true;

  constructor(out: { write(text: string): unknown }, rounds: number) {
    this.#out = out;
    this.#every = Math.max(1, Math.floor(rounds / 30));
  }

  show(round: RoundReport): void {
    const isTraining = round.kind === 'training' && round.outcome === 'published';
    if (isTraining && round.number % this.#every !== 0) return;
    if (this.#isEmpty) this.#out.write(`${line(header)}\n`);
    this.#isEmpty = false;
    const lost = round.accepted - round.counted;
    const start = [
      round.kind === 'training' ? `${round.number}` : round.kind,
      moment(round.startMs),
      duration(round.endMs - round.startMs),
      ...[round.asked, round.counted, lost].map(String),
    ];
    const what = round.outcome === 'published' ? learnt(round) : ['', round.outcome];
    this.#out.write(`${line([...start, ...what, (round.bytesUp / 1e6).toFixed(2)])}\n`);
  }
}

function learnt({ kind, metrics }: RoundReport): string[] {
  if (!metrics || kind === 'statistics') return ['', ''];
  if (kind === 'training') {
    const { lossBefore, lossAfter, accuracyBefore, accuracyAfter } = metrics as TrainingMetrics;
    return [
      `${lossBefore.toFixed(2)} > ${lossAfter.toFixed(2)}`,
      `${percent(accuracyBefore)} > ${percent(accuracyAfter)}`,
    ];
  }
  const { results } = metrics as EvaluationMetrics;
  const [before, after] = [results[0], results.at(-1)];
  return ['', before && after ? `${percent(before.accuracy)} > ${percent(after.accuracy)}` : ''];
}

function line(cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('');
}

/** What a simulation came to, in words and figures. */
export function summary({ outcome, forecast, devices, final, digest }: SimulationReport): string {
  const lines = ['', ...costs(forecast, devices)];
  if (outcome === 'stalled')
    lines.push(
      '',
      '  The plan came to no end: round after round was abandoned. See why above, and lower its minimum.',
    );
  if (final)
    lines.push('', `  Final model on ${final.devices} held-out devices, accuracy in %: mean (worst tenth)`);
  for (const result of final?.results ?? []) lines.push(`  ${judged(result)}`);
  if (digest !== null) lines.push('', `  digest     ${digest}`);
  return lines.join('\n');
}

function costs(forecast: Forecast, devices: number): string[] {
  const { rounds, roundMs, counted, asked, dropped } = forecast;
  const each = (value: number) => value / Math.max(1, counted);
  const reasons = Object.entries(dropped)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`);
  return [
    `  takes      ${duration(forecast.virtualMs)} of virtual time; ${rounds.published} rounds published, ${rounds.abandoned} abandoned`,
    `  a round    ${duration(roundMs.median)} in the middle, one in ten longer than ${duration(roundMs.p90)}`,
    `  devices    ${asked} asked, ${counted} counted (${(counted / devices).toFixed(1)} a device); dropped: ${reasons.join(', ') || 'none'}`,
    `  bytes      ${(forecast.bytesDown / 1e6).toFixed(1)} MB down, ${(forecast.bytesUp / 1e6).toFixed(1)} MB up; ${(each(forecast.bytesDown + forecast.bytesUp) / 1e6).toFixed(2)} MB a counted update`,
    `  their time ${(forecast.deviceMs / 60_000).toFixed(1)} device minutes, ${(forecast.computeMs / 60_000).toFixed(1)} of them computing; ${duration(each(forecast.deviceMs))} a counted update`,
  ];
}

function judged({ supportShare, steps, accuracy, worstDecile }: EvaluationResult): string {
  const when =
    steps === 0 ? 'before' : `${steps} step${steps === 1 ? '' : 's'} on ${percent(supportShare)} of the data`;
  return `  ${when.padEnd(32)}${(accuracy * 100).toFixed(1)} (${(worstDecile * 100).toFixed(1)})`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

const two = (value: number) => String(value).padStart(2, '0');

/** Virtual time since the start: `2 d 03:40:05`. */
function moment(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const days = Math.floor(seconds / 86_400);
  const [hours, minutes] = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  return `${days > 0 ? `${days} d ` : ''}${two(hours)}:${two(minutes)}:${two(seconds % 60)}`;
}

/** `850 ms`, `12.3 s`, `4 min 05 s`, `3 h 40 min`, `2 d 05 h`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (seconds < 60) return `${(milliseconds / 1_000).toFixed(1)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}
