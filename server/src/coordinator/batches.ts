import {
  assignmentTransitions,
  sourcesOf,
  type AssignmentId,
  type AssignmentState,
  type DeviceId,
  type ProjectId,
  type RoundId,
} from '@starling/protocol';
import { Batches } from '../storage/batches.ts';
import type { Querier } from '../storage/database.ts';
import type { Context } from './context.ts';
import { groupReady } from './round-groups.ts';
import { offerRounds, startTraining } from './round-selection.ts';
import { settleRound } from './round-end.ts';
import { liveStates, type AssignmentRow } from './rows.ts';
import { assignmentColumns, type TimedAssignment } from './views.ts';

/** An assignment, as the device names it that says it is its own. */
export interface OwnAssignment {
  id: AssignmentId;
  deviceId: DeviceId;
}

/** One that is to be moved. The project is whose device says so: what another's rows are locked for is not waited for. */
export interface MovedAssignment extends OwnAssignment {
  projectId: ProjectId;
}

/** An update that is announced. */
export interface Announced extends OwnAssignment {
  roundId: RoundId;
  digest: string;
  bytes: number;
}

/** An update that was received whole and verified. */
export interface Received {
  id: AssignmentId;
  roundId: RoundId;
  weight: number;
  digest: string;
}

/**
 * What devices say all the time, taken many at a time: a thousand devices at once cost the database some dozens of
 * statements, not twenty each. A result is what the device would get if it were alone. What may wait for a row's lock is
 * of one project or one round; what only reads is of all.
 */
export interface DeviceBatches {
  /** The row, where the device has such an assignment. */
  readonly read: Batches<OwnAssignment, AssignmentRow | undefined>;
  /** Moved to `accepted`, where it was offered; then training starts where enough accepted. */
  readonly accept: Batches<MovedAssignment, TimedAssignment | undefined>;
  readonly begin: Batches<MovedAssignment, TimedAssignment | undefined>;
  /** Clear updates, moved to `ready`, and to `grouped` where the round trains. */
  readonly announce: Batches<Announced, TimedAssignment | undefined>;
  /** Moved to `uploaded`: true where this did it. */
  readonly record: Batches<Received, boolean>;
  /** Live assignments of devices. */
  readonly current: Batches<DeviceId, TimedAssignment | undefined>;
  /** A device came: rounds that are looking for devices are offered. */
  readonly online: Batches<ProjectId, void>;
  readonly settle: Batches<RoundId, void>;
}

export function deviceBatches(contextOf: () => Context): DeviceBatches {
  const database = () => contextOf().database;
  return {
    read: new Batches(async (items) => {
      const rows = await database().query<AssignmentRow>(
        `select a.* from assignments a join unnest($1::text[], $2::text[]) as t(id, device_id)
           on a.id = t.id and a.device_id = t.device_id`,
        namesOf(items),
      );
      return inOrderOf(items, rows);
    }),
    accept: new Batches(
      async (items) => {
        const rows = await move(database(), 'accepted', 'accepted_at = now()', items);
        rows.forEach(() => {
          contextOf().failpoint('assignment-accepted');
        });
        for (const roundId of roundsOf(rows)) await startIfEnough(contextOf(), roundId);
        return inOrderOf(items, rows);
      },
      ({ projectId }) => projectId,
    ),
    begin: new Batches(
      async (items) => inOrderOf(items, await move(database(), 'training', 'training_at = now()', items)),
      ({ projectId }) => projectId,
    ),
    announce: new Batches(
      async (items, roundId) => {
        const rows = await move(
          database(),
          'ready',
          'ready_at = now(), update_digest = t.digest, update_bytes = t.bytes',
          items,
          [
            { name: 'digest', type: 'text', values: items.map(({ digest }) => digest) },
            { name: 'bytes', type: 'bigint', values: items.map(({ bytes }) => bytes) },
          ],
        );
        if (rows.length === 0) return items.map(() => undefined);
        rows.forEach(() => {
          contextOf().failpoint('assignment-ready');
        });
        const tellers = new Set(rows.map(({ id }) => id));
        const grouped = await groupReady(contextOf(), roundId as RoundId, tellers); // the key that was given below
        const told = rows.map((row) => (grouped.has(row.id) ? { ...row, state: 'grouped' as const } : row));
        // Of two announcements of one assignment at once, one was taken: the other is told so, as if it came later.
        return inOrderOf(items, told).map((row, index) =>
          row?.update_digest === items[index]?.digest ? row : undefined,
        );
      },
      ({ roundId }) => roundId,
    ),
    record: new Batches(
      async (items, roundId) => {
        const recorded = await record(database(), items, roundId);
        return items.map(({ id }) => recorded.has(id));
      },
      ({ roundId }) => roundId,
    ),
    current: new Batches(async (ids) => {
      const rows = await database().query<TimedAssignment>(
        `select ${assignmentColumns} from assignments a join rounds r on r.id = a.round_id
          where a.device_id = any($1) and a.state = any($2)`,
        [ids, liveStates],
      );
      const byDevice = new Map(rows.map((row) => [row.device_id, row]));
      return ids.map((id) => byDevice.get(id));
    }),
    online: new Batches<ProjectId, void>(
      async (items, projectId) => {
        await offerRounds(contextOf(), projectId as ProjectId); // the key that is given below
        return items.map(() => undefined);
      },
      (id) => id,
    ),
    settle: new Batches<RoundId, void>(
      async (items, roundId) => {
        await settleRound(contextOf(), roundId as RoundId); // the key that is given below
        return items.map(() => undefined);
      },
      (id) => id,
    ),
  };
}

/** What fails here is of the round, not of those who accepted: the poller does it again. */
async function startIfEnough(context: Context, roundId: RoundId): Promise<void> {
  try {
    await startTraining(context, roundId);
  } catch (error) {
    context.log.error({ error, roundId }, 'training could not be started; the poller will try again');
  }
}

interface Column {
  name: string;
  type: 'text' | 'bigint';
  values: readonly unknown[];
}

/** Moves those of the assignments that stand in a state before `to`. Rounds are locked first, as everywhere. */
function move(
  database: Querier,
  to: AssignmentState,
  changes: string,
  items: readonly OwnAssignment[],
  columns: readonly Column[] = [],
): Promise<TimedAssignment[]> {
  const types = ['text', 'text', ...columns.map(({ type }) => type)];
  const arrays = types.map((type, index) => `$${index + 2}::${type}[]`).join(', ');
  const names = ['id', 'device_id', ...columns.map(({ name }) => name)].join(', ');
  return database.query<TimedAssignment>(
    `with held as materialized (
       select id from rounds where id in (select round_id from assignments where id = any($2))
        order by id for no key update)
     update assignments a set state = '${to}', ${changes}
       from rounds r, unnest(${arrays}) as t(${names})
      where r.id = a.round_id and r.id in (select id from held)
        and a.id = t.id and a.device_id = t.device_id and a.state = any($1)
     returning ${assignmentColumns}`,
    [sourcesOf(assignmentTransitions, to), ...namesOf(items), ...columns.map(({ values }) => values)],
  );
}

/**
 * Its round and state are compared in a way that no index serves: found by either, each batch would be held against all that
 * the round has.
 */
async function record(
  database: Querier,
  items: readonly Received[],
  roundId: string,
): Promise<Set<AssignmentId>> {
  const rows = await database.query<{ id: AssignmentId }>(
    `with held as materialized (select id from rounds where id = $4 for no key update),
          moved as (update assignments a set state = 'uploaded', uploaded_at = now(), weight = t.weight
                      from unnest($1::text[], $2::int[], $3::text[]) as t(id, weight, digest)
                     where a.id = t.id and a.state is not distinct from 'grouped'
                       and a.round_id is not distinct from (select id from held)
                    returning a.id, a.group_id, a.round_id, a.update_bytes, t.digest),
          summed as (update groups g set state = 'summed', digest = moved.digest, ended_at = now()
                       from moved where g.id = moved.group_id and g.state = 'uploads'),
          counted as (update rounds r set bytes_up = r.bytes_up + came.bytes
                        from (select round_id, sum(update_bytes)::bigint as bytes from moved group by 1) came
                       where r.id = came.round_id)
     select id from moved`,
    [
      items.map(({ id }) => id),
      items.map(({ weight }) => weight),
      items.map(({ digest }) => digest),
      roundId,
    ],
  );
  return new Set(rows.map(({ id }) => id));
}

function namesOf(items: readonly OwnAssignment[]): [AssignmentId[], DeviceId[]] {
  return [items.map(({ id }) => id), items.map(({ deviceId }) => deviceId)];
}

function roundsOf(rows: readonly TimedAssignment[]): Set<RoundId> {
  return new Set(rows.map((row) => row.round_id));
}

function inOrderOf<Row extends AssignmentRow>(
  items: readonly OwnAssignment[],
  rows: readonly Row[],
): (Row | undefined)[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return items.map(({ id, deviceId }) => {
    const row = byId.get(id);
    return row?.device_id === deviceId ? row : undefined;
  });
}
