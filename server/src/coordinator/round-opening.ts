import type { AbandonReason, RoundKind, TaskId, VersionId } from '@starling/protocol';
import type { Querier } from '../storage/database.ts';
import { newId } from './context.ts';
import { cloudStepDue } from '../training/jobs.ts';
import { wantedRound, type RoundSpec } from './round-order.ts';
import type { RoundRow, TaskRow } from './rows.ts';

/**
 * The life of a round: opened, offered to devices, trained, aggregated, published or abandoned. Every change is a
 * conditional update inside a transaction, so a change that two nodes (or a node and its restarted self) attempt
 * happens once. Whoever changes several rows locks the round before its assignments and groups: nodes that do so at
 * once wait for each other instead of colliding. Announcements and further steps follow after the transaction.
 */

/** What the plan wants next, or `undefined` when all its rounds are published. */
async function nextRound(tx: Querier, task: TaskRow): Promise<RoundSpec | undefined> {
  const { plan, rounds_published: published } = task;
  const done = new Set(
    (
      await tx.query<{ kind: RoundKind; number: number }>(
        `select kind, number from rounds where task_id = $1 and not requested
            and (state = 'published' or kind = 'evaluation') and (kind = 'statistics' or number = $2)`,
        [task.id, published],
      )
    ).map(({ kind, number }) => (kind === 'statistics' ? kind : `${kind} ${number}`)),
  );
  return wantedRound(plan, published, done);
}

/** What a round came to that failed by its devices or its sum: the next one may well come to the same. */
const failures: readonly AbandonReason[] = ['too-few-updates', 'sum-not-finite', 'publishing-failed'];

/**
 * How long a round waits before it asks devices, by how many of the plan's rounds before it failed in a row: the first is
 * tried again at once, then after 1 s, 2 s, 4 s and so on.
 */
const firstDelayMs = 1_000;
const longestDelayMs = 300_000;

/** Inserts a round in state `selecting`. The caller holds the task's row. */
export async function openRound(
  tx: Querier,
  task: TaskRow,
  spec: RoundSpec,
  baseVersion: VersionId = task.current_version,
): Promise<RoundRow> {
  const [round] = await tx.query<RoundRow>(
    `insert into rounds (id, project_id, task_id, sequence, kind, number, state, requested, evaluation, selection,
                         goal, minimum, target, base_version, offers_from, deadline)
     select $1, $2, $3, sequence, $4, $5, 'selecting', $6, $7, $8, $9, $10, $11, $12, offers_from,
            coalesce(offers_from, now()) + $13 * interval '1 millisecond'
       from (select coalesce(max(sequence), 0) + 1 as sequence from rounds where task_id = $3) as last
      cross join (
            select case when count(*) > 1 and not $6 then
                     now() + least($14, $15 * 2 ^ least(count(*) - 2, 30)) * interval '1 millisecond' end as offers_from
              from rounds
             where task_id = $3 and not requested and reason = any($16)
               and sequence > coalesce((select sequence from rounds
                                         where task_id = $3 and not requested and state = 'published'
                                         order by sequence desc limit 1), 0)) as failed
     returning *`,
    [
      newId('round'),
      task.project_id,
      task.id,
      spec.kind,
      spec.number,
      spec.requested,
      spec.evaluation,
      spec.selection,
      spec.goal,
      spec.minimum,
      spec.target,
      baseVersion,
      task.plan.windows.selectingMs,
      longestDelayMs,
      firstDelayMs,
      failures,
    ],
  );
  if (!round) throw new TypeError('INSERT … RETURNING gave no row.');
  return round;
}

/**
 * Takes a running task to its next round, or completes it. Does nothing while a round of the plan is under way.
 * Runs inside the transaction that ended the last round, so a task never stands still between two of them.
 */
export async function advanceTask(tx: Querier, taskId: TaskId): Promise<RoundRow | undefined> {
  const [task] = await tx.query<TaskRow>(
    "select * from tasks where id = $1 and state = 'running' for update",
    [taskId],
  );
  if (!task) return undefined;
  const [busy] = await tx.query(
    'select 1 from rounds where task_id = $1 and ended_at is null and not requested limit 1',
    [taskId],
  );
  if (busy) return undefined;
  if (await cloudStepDue(tx, task)) return undefined;
  const spec = await nextRound(tx, task);
  if (spec) return openRound(tx, task, spec);
  await tx.query(
    "update tasks set state = 'completed', updated_at = now() where id = $1 and state = 'running'",
    [taskId],
  );
  return undefined;
}
