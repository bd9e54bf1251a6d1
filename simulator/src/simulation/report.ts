import type { AbandonReason, DropReason, EvaluationMetrics, Round, RoundKind } from '@starling/protocol';

/** A simulated round. Times are virtual, in milliseconds since the task's start. */
export interface RoundReport {
  readonly sequence: number;
  readonly kind: RoundKind;
  /** Training rounds: which one. Others: after how many. */
  readonly number: number;
  readonly outcome: 'published' | AbandonReason;
  readonly startMs: number;
  /** When enough devices had accepted and began to train; null when they never did. */
  readonly trainingMs: number | null;
  readonly endMs: number;
  readonly asked: number;
  readonly accepted: number;
  readonly counted: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Codes of what failed on devices that dropped out with `training-failed`. */
  readonly failures: Readonly<Record<string, number>>;
  /** Groups under secure aggregation. */
  readonly groups: { readonly summed: number; readonly aborted: number };
  /** Weights and updates that travelled, part of one counted as that part. */
  readonly bytesDown: number;
  readonly bytesUp: number;
  /** Time that devices were in the round, and the part of it that they computed. */
  readonly deviceMs: number;
  readonly computeMs: number;
  /** As the server publishes them; null for a forecast, and for a round that was abandoned. */
  readonly metrics: Round['metrics'];
}

/** A step in the cloud of a hybrid plan. It takes no virtual time. */
export interface CloudStepReport {
  /** The training round that it follows. */
  readonly after: number;
  /** Those of the job that a server would run; null for a forecast. */
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

/** What a task costs and how long it takes, from its rounds. */
export interface Forecast {
  readonly virtualMs: number;
  readonly rounds: { readonly published: number; readonly abandoned: number };
  /** Length of published training rounds: the middle one, and one that a tenth exceed. */
  readonly roundMs: { readonly median: number; readonly p90: number };
  readonly asked: number;
  readonly counted: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  readonly bytesDown: number;
  readonly bytesUp: number;
  readonly deviceMs: number;
  readonly computeMs: number;
}

export interface SimulationReport {
  /** `stalled`: round after round was abandoned, and the plan never came to its end. */
  readonly outcome: 'completed' | 'stalled';
  readonly devices: number;
  readonly heldOut: number;
  /** People whose data the devices that train share. */
  readonly people: number;
  readonly fleet: string;
  readonly seed: number;
  readonly rounds: readonly RoundReport[];
  readonly steps: readonly CloudStepReport[];
  readonly forecast: Forecast;
  /** The final model judged on every held-out device, before and after adapting; null for a forecast, or where nobody is held out. */
  readonly final: EvaluationMetrics | null;
  /** Digest of the last version's weights, as the server would name it; null for a forecast. */
  readonly digest: string | null;
}

export function forecastOf(rounds: readonly RoundReport[]): Forecast {
  const published = rounds.filter(({ outcome }) => outcome === 'published');
  const lengths = published
    .filter(({ kind }) => kind === 'training')
    .map(({ startMs, endMs }) => endMs - startMs)
    .sort((a, b) => a - b);
  const dropped: Partial<Record<DropReason, number>> = {};
  for (const round of rounds)
    for (const [reason, count] of Object.entries(round.dropped) as [DropReason, number][])
      dropped[reason] = (dropped[reason] ?? 0) + count;
  const total = (of: (round: RoundReport) => number) => rounds.reduce((sum, round) => sum + of(round), 0);
  return {
    virtualMs: rounds.at(-1)?.endMs ?? 0,
    rounds: { published: published.length, abandoned: rounds.length - published.length },
    roundMs: { median: quantile(lengths, 0.5), p90: quantile(lengths, 0.9) },
    asked: total(({ asked }) => asked),
    counted: total(({ counted }) => counted),
    dropped,
    bytesDown: total(({ bytesDown }) => bytesDown),
    bytesUp: total(({ bytesUp }) => bytesUp),
    deviceMs: total(({ deviceMs }) => deviceMs),
    computeMs: total(({ computeMs }) => computeMs),
  };
}

/** Of sorted values; 0 of none. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
