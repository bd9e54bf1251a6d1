import {
  ProblemError,
  type CloudWork,
  type JobId,
  type JobState,
  type ProjectId,
  type TaskId,
  type VersionId,
} from '@starling/protocol';
import type { Job } from '@starling/protocol/api';
import type { Querier } from '../storage/database.ts';

/** Rows as the database returns them (020-cloud-jobs.sql). */
export interface JobRow {
  id: JobId;
  project_id: ProjectId;
  task_id: TaskId;
  state: JobState;
  message: string | null;
  work: CloudWork;
  backend: string;
  attempts: number;
  /** Of a hybrid plan: the training round that it follows. */
  step: number | null;
  /** Whose runner has it in hand. */
  node: string | null;
  cancel_requested: boolean;
  base_version: VersionId;
  published_version: VersionId | null;
  metrics: Record<string, unknown> | null;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
}

export function jobView(row: JobRow): Job {
  return {
    id: row.id,
    taskId: row.task_id,
    state: row.state,
    message: row.message,
    work: row.work,
    backend: row.backend,
    attempts: row.attempts,
    step: row.step,
    baseVersion: row.base_version,
    publishedVersion: row.published_version,
    metrics: row.metrics,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

export async function readJob(querier: Querier, id: JobId): Promise<JobRow> {
  const [row] = await querier.query<JobRow>('select * from jobs where id = $1', [id]);
  if (!row) throw new ProblemError('not-found', `There is no job ${id}.`);
  return row;
}
