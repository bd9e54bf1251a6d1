import { abandonReasons, dropReasons, type RoundId, type RoundKind } from '@starling/protocol';
import type { Context } from '../coordinator/context.ts';

interface EndedRound {
  kind: RoundKind;
  state: 'published' | 'abandoned';
  reason: string | null;
  all: number;
  selecting: number | null;
  training: number | null;
  aggregating: number | null;
  publishing: number | null;
}

interface Ends {
  of: 'assignment' | 'group';
  end: string;
  reason: string;
  count: number;
}

/** From one moment of a round to the next, in seconds: null when it never came so far. */
const phases = {
  selecting: ['opened_at', 'coalesce(training_at, ended_at)'],
  training: ['training_at', 'coalesce(aggregating_at, closed_at, ended_at)'],
  aggregating: ['aggregating_at', 'coalesce(closed_at, ended_at)'],
  publishing: ['closed_at', 'ended_at'],
} as const;

/** Counts a round that this node has ended: one query over its rows, when anybody counts. What fails here fails no round. */
export async function observeRoundEnd(context: Context, id: RoundId): Promise<void> {
  const { database, observer, log } = context;
  if (!observer.counts) return;
  try {
    const seconds = Object.entries({ all: ['opened_at', 'ended_at'], ...phases }).map(
      ([name, [from, to]]) => `extract(epoch from ${to} - ${from})::float8 as "${name}"`,
    );
    const [round] = await database.query<EndedRound>(
      `select kind, state, reason, ${seconds.join(', ')} from rounds where id = $1 and ended_at is not null`,
      [id],
    );
    if (!round) return;
    const ends = await database.query<Ends>(
      `select 'assignment' as of, state as end, split_part(coalesce(reason, ''), ':', 1) as reason, count(*)::int as count
         from assignments where round_id = $1 group by 1, 2, 3
       union all
       select 'group', state, coalesce(reason, ''), count(*)::int
         from groups where round_id = $1 and secure group by 1, 2, 3`,
      [id],
    );
    tell(context, round, ends);
  } catch (error) {
    log.warn({ error, roundId: id }, 'an ended round could not be counted in the metrics');
  }
}

function tell({ observer }: Context, round: EndedRound, ends: readonly Ends[]): void {
  const { kind, state: outcome, all } = round;
  const reason = known(abandonReasons, round.reason ?? '');
  observer.count('starling_rounds_ended_total', { kind, outcome, reason });
  observer.time('starling_round_duration_seconds', { kind, outcome }, all);
  for (const phase of ['selecting', 'training', 'aggregating', 'publishing'] as const) {
    const spent = round[phase];
    if (spent !== null) observer.time('starling_round_phase_duration_seconds', { kind, phase }, spent);
  }
  for (const { of, end, reason: why, count } of ends) {
    if (of === 'group')
      observer.count(
        'starling_groups_ended_total',
        { end, reason: /^[a-z-]{0,40}$/.test(why) ? why : 'other' },
        count,
      );
    else if (end === 'counted' || end === 'dropped')
      observer.count(
        'starling_assignments_ended_total',
        { kind, end, reason: known(dropReasons, why) },
        count,
      );
  }
}

/** A reason that is not in our list does not become a label: labels are bounded. */
function known(reasons: readonly string[], reason: string): string {
  return reason === '' || reasons.includes(reason) ? reason : 'other';
}
