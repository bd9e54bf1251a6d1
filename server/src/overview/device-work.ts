import type {
  AssignmentId,
  AssignmentState,
  RoundId,
  RoundKind,
  RoundState,
  TaskId,
} from '@starling/protocol';
import type { DeviceWork } from '@starling/protocol/api';

/** What a device took part in: assignments with the round and task of each; `$1` is the device. */
export const deviceWork = {
  table: `(select a.id, a.task_id, t.name as task, a.round_id, r.number, r.kind, r.state as round_state, a.state, a.reason,
                  a.offered_at, a.ended_at, a.update_bytes,
                  round(extract(epoch from a.ready_at - a.training_at) * 1000)::bigint as training_ms
             from assignments a join rounds r on r.id = a.round_id join tasks t on t.id = a.task_id
            where a.device_id = $1) as work`,
  condition: 'true',
  column: 'offered_at',
} as const;

export interface DeviceWorkRow {
  id: AssignmentId;
  task_id: TaskId;
  task: string;
  round_id: RoundId;
  number: number;
  kind: RoundKind;
  round_state: RoundState;
  state: AssignmentState;
  reason: string | null;
  offered_at: Date;
  ended_at: Date | null;
  update_bytes: number | null;
  training_ms: number | null;
}

export function deviceWorkView(row: DeviceWorkRow): DeviceWork {
  return {
    id: row.id,
    taskId: row.task_id,
    task: row.task,
    roundId: row.round_id,
    roundNumber: row.number,
    kind: row.kind,
    roundState: row.round_state,
    state: row.state,
    reason: row.reason,
    offeredAt: row.offered_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    trainingMs: row.training_ms,
    bytesUp: row.update_bytes,
  };
}
