/** Jobs in the cloud, as people and plans ask for them. The runner moves them. */
import {
  jobTransitions,
  ProblemError,
  sourcesOf,
  type CloudWork,
  type JobId,
  type JobState,
  type ProjectId,
  type TaskId,
  type VersionId,
} from '@starling/protocol';
import type { Job } from '@starling/protocol/api';
import { newId, type Context } from '../coordinator/context.ts';
import { wantsCloudStep } from '../coordinator/round-order.ts';
import type { TaskRow, VersionRow } from '../coordinator/rows.ts';
import { readTask, readVersion, refusePruned } from '../coordinator/views.ts';
import type { Commit, Querier } from '../storage/database.ts';
import { jobView, readJob, type JobRow } from './job-rows.ts';

/** Whether a job leaves weights, to become a version of its task. */
export function trains({ kind }: CloudWork): boolean {
  return kind === 'warm-start' || kind === 'distil';
}

/**
 * The version whose predictions a job of kind distil learns; `undefined` for other kinds.
 * @throws ProblemError `invalid-request` For a teacher that is missing, or that nothing learns from; `not-found` For one
 * that is not of the project, or whose weights are gone.
 */
export async function teacherOf(
  querier: Querier,
  projectId: ProjectId,
  { kind, teacher }: CloudWork,
): Promise<VersionRow | undefined> {
  if ((kind === 'distil') !== (teacher !== undefined))
    throw new ProblemError(
      'invalid-request',
      'A job of kind distil, and no other, names its `teacher`: a version of the project.',
    );
  if (teacher === undefined) return undefined;
  const version = await readVersion(querier, teacher);
  if (version.project_id !== projectId)
    throw new ProblemError('not-found', `There is no model version ${teacher}.`);
  refusePruned(version);
  return version;
}

/**
 * Asks for a job on a version of a task. One that trains needs a task without a round under way (a draft, or a paused
 * task): its weights become the task's next version.
 * @throws ProblemError `not-found`, `job-not-feasible`, `illegal-transition`, `unavailable`
 */
export async function createJob(
  context: Context,
  taskId: TaskId,
  work: CloudWork,
  version: VersionId | undefined,
  commit: Commit<Job>,
): Promise<Job> {
  const backend = await context.cloud.choose(work);
  const task = await readTask(context.database, taskId);
  await teacherOf(context.database, task.project_id, work);
  const base = version ?? task.current_version;
  const { task_id: owner } = await readVersion(context.database, base);
  if (owner !== taskId) throw new ProblemError('not-found', `Task ${taskId} has no version ${base}.`);
  if (trains(work)) {
    if (task.state !== 'draft' && task.state !== 'paused')
      throw new ProblemError(
        'illegal-transition',
        `Task ${taskId} is ${task.state}; a job trains a draft or a paused task. A running one takes steps in the cloud by \`hybrid\` in its plan.`,
      );
    if (base !== task.current_version)
      throw new ProblemError(
        'illegal-transition',
        `A job trains from the current version, ${task.current_version}.`,
      );
  }
  const job = await commit(async (tx) => jobView(await insertJob(tx, task, work, backend.name, base, null)));
  context.announce.live(task.project_id, { kind: 'job', jobId: job.id, taskId, state: job.state });
  return job;
}

/**
 * The step in the cloud that is due after the training rounds published so far, asked for now if it was not before.
 * Returns whether the task has to wait for it. Runs inside the transaction that takes the task on.
 */
export async function cloudStepDue(tx: Querier, task: TaskRow): Promise<boolean> {
  const { hybrid } = task.plan;
  const published = task.rounds_published;
  if (!hybrid || !wantsCloudStep(task.plan, published)) return false;
  const jobs = await tx.query<Pick<JobRow, 'state'>>(
    'select state from jobs where task_id = $1 and step = $2',
    [task.id, published],
  );
  if (jobs.some(({ state }) => state === 'succeeded')) return false;
  if (jobs.every(({ state }) => state === 'failed' || state === 'cancelled'))
    await insertJob(tx, task, hybrid.work, hybrid.work.backend ?? '', task.current_version, published);
  return true;
}

/** Asks for a job's end. One that waits ends at once, one that runs when its backend has ended it. */
export async function cancelJob(context: Context, id: JobId): Promise<Job> {
  await context.database.query('update jobs set cancel_requested = true where id = $1 and ended_at is null', [
    id,
  ]);
  return jobView(await readJob(context.database, id));
}

export function announceJob(context: Context, { id, task_id: taskId, project_id, state }: JobRow): void {
  context.announce.live(project_id, { kind: 'job', jobId: id, taskId, state });
}

/** One conditional transition; `undefined` when the job was not in a state from which `to` may be reached. */
export async function moveJob(
  querier: Querier,
  id: JobId,
  to: JobState,
  changes: { message?: string | null; metrics?: object; publishedVersion?: VersionId } = {},
): Promise<JobRow | undefined> {
  const ended = jobTransitions[to].length === 0;
  const [row] = await querier.query<JobRow>(
    `update jobs set state = $2, message = $3, metrics = coalesce($4, metrics),
            published_version = coalesce($5, published_version),
            attempts = attempts + case when $2 = 'running' then 1 else 0 end,
            started_at = case when $2 = 'running' then coalesce(started_at, now()) else started_at end,
            ended_at = case when $6 then now() end
      where id = $1 and state = any($7) returning *`,
    [
      id,
      to,
      changes.message ?? null,
      changes.metrics ?? null,
      changes.publishedVersion ?? null,
      ended,
      sourcesOf(jobTransitions, to),
    ],
  );
  return row;
}

async function insertJob(
  querier: Querier,
  task: TaskRow,
  work: CloudWork,
  backend: string,
  base: VersionId,
  step: number | null,
): Promise<JobRow> {
  const [row] = await querier.query<JobRow>(
    `insert into jobs (id, project_id, task_id, state, work, backend, base_version, step)
     values ($1, $2, $3, 'waiting', $4, $5, $6, $7) returning *`,
    [newId('job'), task.project_id, task.id, work, backend, base, step],
  );
  if (!row) throw new TypeError('INSERT … RETURNING gave no row.');
  return row;
}
