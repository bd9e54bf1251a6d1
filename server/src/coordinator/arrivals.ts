import {
  arrivalStations,
  mostArrivals,
  type ArrivalStation,
  type RoundArrivals,
} from '@starling/protocol/api';
import type { Querier } from '../storage/database.ts';
import { passedAt } from './anatomy.ts';
import type { RoundRow } from './rows.ts';

/**
 * When devices reached the stations of a round, by database time. Of many, each n-th is told and the last one, so that
 * the curve of their number keeps its shape with at most `most` points.
 */
export async function arrivalsOf(
  querier: Querier,
  { id }: Pick<RoundRow, 'id'>,
  most = mostArrivals,
): Promise<RoundArrivals> {
  const [times] = await querier.query<{ now: number; training: number | null; aggregating: number | null }>(
    `select ${sinceOpening('coalesce(ended_at, now())')} as now, ${sinceOpening('training_at')} as training,
            ${sinceOpening('aggregating_at')} as aggregating
       from rounds where id = $1`,
    [id],
  );
  const places = arrivalStations.map((station) => `('${station}', ${passedAt[station]})`).join(', ');
  const rows = await querier.query<{ station: ArrivalStation; count: number; every: number; ms: number[] }>(
    `with opened as (select opened_at from rounds where id = $1),
     passed as (
       select station, ${sinceOpening('at')} as ms
         from opened cross join assignments cross join lateral (values ${places}) as p(station, at)
        where round_id = $1 and at is not null),
     ranked as (
       select station, ms, row_number() over (partition by station order by ms) as rank,
              count(*) over (partition by station) as count from passed),
     thinned as (select *, greatest(1, (count + $2 - 2) / ($2 - 1)) as every from ranked)
     select station, count::int as count, every::int as every, jsonb_agg(ms order by rank) as ms
       from thinned where (rank - 1) % every = 0 or rank = count group by station, count, every`,
    [id, most],
  );
  return {
    nowMs: times?.now ?? 0,
    trainingMs: times?.training ?? null,
    aggregatingMs: times?.aggregating ?? null,
    stations: arrivalStations.map((station) => {
      const { count = 0, every = 1, ms = [] } = rows.find((row) => row.station === station) ?? {};
      return { station, count, every, offsetsMs: ms };
    }),
  };
}

/** Whole milliseconds; a round may be open for longer than 2^31 of them. */
function sinceOpening(moment: string): string {
  return `floor(extract(epoch from ${moment} - opened_at) * 1000)::bigint`;
}
