import type { RoundId } from '@starling/protocol';
import { spans, stations, type RoundAnatomy, type Span, type Station } from '@starling/protocol/api';
import type { Querier } from '../storage/database.ts';
import { liveStates, type RoundRow } from './rows.ts';
import { roundView } from './views.ts';

/** When an assignment passed each station: the columns that hold it. `counted` is a state, its time is the round's end. */
export const passedAt: Record<Station, string> = {
  selected: 'offered_at',
  accepted: 'accepted_at',
  training: 'training_at',
  ready: 'ready_at',
  uploaded: 'uploaded_at',
  counted: "case when state = 'counted' then ended_at end",
};

const betweenStations: Record<Span, readonly [Station, Station]> = {
  answering: ['selected', 'accepted'],
  fetching: ['accepted', 'training'],
  training: ['training', 'ready'],
  handingIn: ['ready', 'uploaded'],
  all: ['selected', 'uploaded'],
};

/** Where a round lost devices, and how long each of its steps took, from the times that its assignments were stored with. */
export async function anatomyOf(querier: Querier, round: RoundRow): Promise<RoundAnatomy> {
  const furthest = [...stations]
    .reverse()
    .map((station) => `when (${passedAt[station]}) is not null then '${station}'`);
  const ends = await querier.query<{ station: Station; state: string; reason: string | null; count: number }>(
    `select case ${furthest.join(' ')} end as station, state,
            case when state = 'dropped' then split_part(reason, ':', 1) end as reason, count(*)::int as count
       from assignments where round_id = $1 group by 1, 2, 3`,
    [round.id],
  );
  const [times] = await querier.query<Record<Span, { count: number; ms: [number, number, number] | null }>>(
    `select ${spans.map((span) => `${percentiles(span)} as "${span}"`).join(', ')} from assignments where round_id = $1`,
    [round.id],
  );
  const [left] = await querier.query<{ ready: number | null; round: number | null }>(
    `select case when ended_at is null then ${remaining('ready_by')} end as ready,
            case when ended_at is null and closed_at is null then ${remaining('deadline')} end as round
       from rounds where id = $1`,
    [round.id],
  );
  const [beside] = await querier.query<{ previous: RoundId | null; next: RoundId | null }>(
    `select (select id from rounds where task_id = $1 and sequence < $2 order by sequence desc limit 1) as previous,
            (select id from rounds where task_id = $1 and sequence > $2 order by sequence limit 1) as next`,
    [round.task_id, round.sequence],
  );
  return {
    round: roundView(round),
    funnel: stations.map((station, index) => ({
      station,
      reached: sum(ends.filter((end) => stations.indexOf(end.station) >= index)),
      dropped: tally(
        ends.filter((end) => end.station === station),
        ({ reason }) => reason,
      ),
    })),
    spans: spans.map((span) => {
      const { count = 0, ms } = times?.[span] ?? {};
      const [p50Ms = null, p95Ms = null, p99Ms = null] = ms ?? [];
      return { span, count, p50Ms, p95Ms, p99Ms };
    }),
    remainingMs: left ?? { ready: null, round: null },
    atWork: tally(ends, ({ state }) => (liveStates.some((live) => live === state) ? state : null)),
    target: round.target,
    previous: beside?.previous ?? null,
    next: beside?.next ?? null,
  };
}

function percentiles(span: Span): string {
  const [from, to] = betweenStations[span];
  const ms = `extract(epoch from (${passedAt[to]}) - (${passedAt[from]})) * 1000`;
  return `jsonb_build_object('count', count(${ms}),
    'ms', percentile_cont(array[0.5, 0.95, 0.99]) within group (order by (${ms})::float8))`;
}

function remaining(column: string): string {
  return `greatest(0, extract(epoch from ${column} - now()) * 1000)::bigint`;
}

interface Counted {
  count: number;
}

function sum(rows: readonly Counted[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}

function tally<R extends Counted>(
  rows: readonly R[],
  keyOf: (row: R) => string | null,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) {
    const key = keyOf(row);
    if (key !== null) counts[key] = (counts[key] ?? 0) + row.count;
  }
  return counts;
}
