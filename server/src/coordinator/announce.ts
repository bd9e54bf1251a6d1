import type { Assignment, AssignmentId, RoundDetail, RoundId, TaskId } from '@starling/protocol';
import type { Context } from './context.ts';
import {
  assignmentColumns,
  assignmentView,
  readRound,
  readTask,
  roundDetail,
  taskView,
  type TimedAssignment,
} from './views.ts';

/** Hints to devices and to people who watch; whoever misses one reads the same state from the database. */
export async function announceAssignments(context: Context, ids: readonly AssignmentId[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = await context.database.query<TimedAssignment>(
    `select ${assignmentColumns} from assignments a join rounds r on r.id = a.round_id where a.id = any($1)
        and a.device_id is not null -- of an erased device there is nobody to tell`,
    [ids],
  );
  for (const row of rows) {
    context.announce.arrived(row.project_id, row.round_id);
    context.announce.assignment(row.device_id, await assignmentView(context, row));
  }
}

/** A device said where it stands, and the row was moved: tells those who watch its round, and answers the device. */
export function arrived(context: Context, row: TimedAssignment): Promise<Assignment> {
  context.announce.arrived(row.project_id, row.round_id);
  return assignmentView(context, row);
}

export async function announceRound(context: Context, id: RoundId): Promise<RoundDetail> {
  const row = await readRound(context.database, id);
  const round = await roundDetail(context.database, row);
  context.announce.live(row.project_id, { kind: 'round', round });
  return round;
}

export async function announceTask(context: Context, id: TaskId): Promise<void> {
  const row = await readTask(context.database, id);
  context.announce.live(row.project_id, { kind: 'task', task: taskView(row) });
}
