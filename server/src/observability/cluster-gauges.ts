import { isAlive } from '../coordinator/nodes.ts';
import { liveStates } from '../coordinator/rows.ts';
import type { Database } from '../storage/database.ts';
import type { ClusterGaugeName } from './metric-table.ts';
import type { Reading } from './metrics.ts';
import { within } from './within.ts';

/** However many ask, the database is asked once in this time. */
const keptMs = 5_000;

/** A database that is busy is not waited for: the gauges are then missing, and say so. */
const patienceMs = 2_000;

/**
 * What is under way, from indexes that hold nothing else, and tasks and jobs, of which people make some hundreds: the cost
 * does not grow with the rounds and devices that a server has seen.
 */
const sql = `
  select 'starling_nodes_alive' as name, '{}'::jsonb as labels, count(*)::float8 as value
    from nodes n where ${isAlive('n')}
  union all select 'starling_tasks', jsonb_build_object('state', state), count(*) from tasks group by state
  union all select 'starling_jobs', jsonb_build_object('state', state), count(*) from jobs group by state
  union all select 'starling_rounds_under_way', jsonb_build_object('kind', kind, 'state', state), count(*)
    from rounds where ended_at is null group by kind, state
  union all select 'starling_assignments_live', jsonb_build_object('state', state), count(*)
    from assignments where state in (${liveStates.map((state) => `'${state}'`).join(', ')}) group by state
  union all select 'starling_secure_groups_under_way', jsonb_build_object('state', state), count(*)
    from groups where secure and ended_at is null group by state
  union all select 'starling_round_overdue_seconds', '{}'::jsonb,
         coalesce(greatest(0, extract(epoch from now() - min(deadline))), 0)::float8
    from rounds where ended_at is null`;

/** Reads the gauges that the nodes of a cluster share. */
export class ClusterGauges {
  readonly #database: Database;
  readonly #now: () => number;
  #kept: { until: number; readings: Promise<readonly Reading[]> } | undefined;

  /** `now` in monotonic milliseconds. */
  constructor(database: Database, now: () => number = () => performance.now()) {
    this.#database = database;
    this.#now = now;
  }

  read(): Promise<readonly Reading[]> {
    if (!this.#kept || this.#kept.until <= this.#now())
      this.#kept = { until: this.#now() + keptMs, readings: this.#ask() };
    return this.#kept.readings;
  }

  async #ask(): Promise<readonly Reading[]> {
    const success = (value: number): Reading => ({
      name: 'starling_cluster_read_success',
      labels: {},
      value,
    });
    try {
      const rows = await within(
        patienceMs,
        this.#database.query<{ name: ClusterGaugeName; labels: Record<string, string>; value: number }>(sql),
      );
      return [success(1), ...rows];
    } catch {
      return [success(0)]; // this is how it is told; /readyz says more
    }
  }
}
