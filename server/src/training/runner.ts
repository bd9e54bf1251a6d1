import { ProblemError, type JobId } from '@starling/protocol';
import { registerBlob } from '../coordinator/publish.ts';
import { layoutFor } from '../coordinator/blocks.ts';
import { announceRound, announceTask } from '../coordinator/announce.ts';
import { isDead } from '../coordinator/nodes.ts';
import { repeat } from '../coordinator/repeat.ts';
import { newId, type Context } from '../coordinator/context.ts';
import { advanceTask } from '../coordinator/round-opening.ts';
import { offerRound } from '../coordinator/round-selection.ts';
import type { RoundRow, TaskRow, VersionRow } from '../coordinator/rows.ts';
import { readTask, readVersion, versionView } from '../coordinator/views.ts';
import type { Querier } from '../storage/database.ts';
import { BackendUnavailable, NotFeasible } from './backend.ts';
import { JobResultRefused, prepareJob, readResult, type JobResult, type Trained } from './job-directory.ts';
import type { JobRow } from './job-rows.ts';
import { announceJob, moveJob, teacherOf, trains } from './jobs.ts';

/** A job that its cluster lost is started again, so often in all. Its checkpoints are still there. */
const maxAttempts = 3;

/**
 * Takes jobs on: starts those that wait, follows those that run, and makes versions of what they leave. Every step is a
 * conditional update, and the job's row is the record: whatever a backend forgets, or this process, is taken up again.
 */
export class JobRunner {
  readonly #context: Context;
  readonly #intervalMs: number;
  /** Jobs that this process has handed to their backend: it asks again after a restart. */
  readonly #submitted = new Set<string>();
  #stop: (() => Promise<void>) | undefined;

  constructor(context: Context, intervalMs: number) {
    this.#context = context;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#stop = repeat(
      () =>
        this.poll().catch((error: unknown) => {
          this.#context.log.error({ error }, 'jobs could not be looked at; trying again');
        }),
      this.#intervalMs,
    );
  }

  async stop(): Promise<void> {
    await this.#stop?.();
  }

  async poll(): Promise<void> {
    const { database, nodes } = this.#context;
    await database.query(
      `update jobs set node = $1
        where ended_at is null and node is distinct from $1 and ${isDead('jobs.node')}`,
      [nodes.id],
    );
    const jobs = await database.query<JobRow>(
      'select * from jobs where ended_at is null and node = $1 order by created_at',
      [nodes.id],
    );
    for (const job of jobs) {
      try {
        await this.#take(job);
      } catch (error) {
        if (error instanceof BackendUnavailable)
          this.#context.log.warn(
            { jobId: job.id, reason: error.message },
            'a training backend is not available',
          );
        else this.#context.log.error({ error, jobId: job.id }, 'a job could not be moved; trying again');
      }
    }
  }

  async #take(job: JobRow): Promise<void> {
    if (job.state === 'waiting') {
      if (job.cancel_requested) await this.#end(job, 'cancelled', 'It was cancelled before it ran.');
      else await this.#submit(job);
      return;
    }
    const backend = this.#context.cloud.backend(job.backend);
    if (!this.#submitted.has(job.id) && (await backend.status(job.id)).state !== 'lost')
      await this.#handOver(job);
    if (job.cancel_requested) await backend.cancel(job.id);
    const { state, message } = await backend.status(job.id);
    if (state === 'succeeded') await this.#succeed(job);
    else if (state === 'failed' || state === 'cancelled')
      await this.#end(job, state, message ?? 'No reason was given.');
    else if (state === 'lost') await this.#lose(job);
  }

  async #submit(job: JobRow): Promise<void> {
    try {
      const backend = job.backend === '' ? (await this.#context.cloud.choose(job.work)).name : job.backend;
      await this.#context.database.query('update jobs set backend = $2 where id = $1', [job.id, backend]);
      const named = { ...job, backend };
      await this.#prepare(named);
      this.#context.failpoint('job-prepared');
      await this.#handOver(named);
      this.#context.failpoint('job-submitted');
    } catch (error) {
      const refused =
        error instanceof NotFeasible || (error instanceof ProblemError && error.code !== 'unavailable');
      if (!refused) throw error;
      await this.#end(job, 'failed', error.message);
      return;
    }
    const row = await moveJob(this.#context.database, job.id, 'running');
    this.#context.failpoint('job-running');
    if (row) announceJob(this.#context, row);
  }

  async #prepare({ id, work, task_id: taskId, base_version: base }: JobRow): Promise<void> {
    const { database } = this.#context;
    const task = await readTask(database, taskId);
    const teacher = await teacherOf(database, task.project_id, work);
    const { model, weights } = await this.#trained(await readVersion(database, base));
    const dataSets = this.#context.cloud.dataSetsWithin(work);
    await prepareJob(
      this.#context.cloud.order(id, work),
      {
        kind: work.kind,
        data: this.#context.cloud.dataSet(work.data),
        users: work.users ?? null,
        seed: work.seed,
        training: work.training,
        ...(dataSets && { dataSets }),
      },
      model,
      weights,
      teacher && (await this.#trained(teacher)),
    );
  }

  async #trained({ task_id: taskId, weights }: VersionRow): Promise<Trained> {
    const { blobs, database, models } = this.#context;
    const task = await readTask(database, taskId);
    const { ir } = await models.get(task.project_id, task.model_digest);
    return { model: ir, weights: await blobs.get(weights) };
  }

  async #handOver({ id, work, backend }: JobRow): Promise<void> {
    await this.#context.cloud.backend(backend).submit(this.#context.cloud.order(id, work));
    this.#submitted.add(id);
  }

  async #lose(job: JobRow): Promise<void> {
    this.#submitted.delete(job.id);
    if (job.attempts >= maxAttempts) {
      await this.#end(job, 'failed', `The cluster lost it ${job.attempts} times.`);
      return;
    }
    const row = await moveJob(this.#context.database, job.id, 'waiting', { message: 'The cluster lost it.' });
    if (row) announceJob(this.#context, row);
  }

  async #succeed(job: JobRow): Promise<void> {
    const { database, models, log } = this.#context;
    const task = await readTask(database, job.task_id);
    const layout = layoutFor(await models.get(task.project_id, task.model_digest), task.plan);
    let result: JobResult;
    try {
      const table = trains(job.work) ? layout : undefined;
      result = await readResult(this.#context.cloud.order(job.id, job.work).directory, table);
    } catch (error) {
      if (!(error instanceof JobResultRefused)) throw error;
      log.warn({ jobId: job.id, reason: error.message }, 'what a job left was refused');
      await this.#end(job, 'failed', error.message);
      return;
    }
    await this.#publish(job, result);
  }

  /** The version, its place in the task, the job's end and the task's next round: in one transaction. */
  async #publish(job: JobRow, { weights, metrics }: JobResult): Promise<void> {
    const { blobs, database, announce } = this.#context;
    const sha256 = weights && (await blobs.put(weights.file));
    this.#context.failpoint('job-result-stored');
    const done = await database.tx(async (tx) => {
      const [live] = await tx.query("select 1 from jobs where id = $1 and state = 'running' for update", [
        job.id,
      ]);
      if (!live) return undefined;
      if (!weights || sha256 === undefined) {
        const row = await moveJob(tx, job.id, 'succeeded', { metrics });
        return { row, next: undefined, version: undefined };
      }
      const [task] = await tx.query<TaskRow>('select * from tasks where id = $1 for update', [job.task_id]);
      const inTheWay = task ? await obstacle(tx, task, job) : 'The task is gone.';
      if (!task || inTheWay !== undefined) {
        const row = await endWithoutResult(tx, job.id, 'failed', { message: inTheWay ?? '', metrics });
        return { row, next: undefined, version: undefined };
      }
      const version = newId('version');
      await tx.query(
        `insert into model_versions (id, project_id, task_id, number, digest, weights, bytes, parent, job_id, optimiser_state)
         select $1, $2, $3, max(v.number) + 1, $4, $5, $6, $7, $8, (select optimiser_state from model_versions where id = $7)
           from model_versions v where v.task_id = $3`,
        [
          version,
          task.project_id,
          task.id,
          weights.digest,
          sha256,
          weights.file.length,
          job.base_version,
          job.id,
        ],
      );
      const row = await moveJob(tx, job.id, 'succeeded', { metrics, publishedVersion: version });
      await registerBlob(tx, task, { sha256, bytes: weights.file.length });
      await tx.query('update tasks set current_version = $2, updated_at = now() where id = $1', [
        task.id,
        version,
      ]);
      return { row, version, next: await advanceTask(tx, task.id) };
    });
    if (!done?.row) return;
    this.#context.failpoint('job-published');
    announceJob(this.#context, done.row);
    if (done.version) {
      const version = versionView(await readVersion(database, done.version));
      announce.live(job.project_id, { kind: 'version', version });
    }
    await this.#goOn(done.row, done.next);
  }

  async #end(job: JobRow, state: 'failed' | 'cancelled', message: string): Promise<void> {
    const row = await this.#context.database.tx((tx) => endWithoutResult(tx, job.id, state, { message }));
    if (!row) return;
    announceJob(this.#context, row);
    await this.#goOn(row, undefined);
  }

  async #goOn({ id, task_id: taskId, step }: JobRow, next: RoundRow | undefined): Promise<void> {
    this.#submitted.delete(id);
    if (step === null) return;
    await announceTask(this.#context, taskId);
    if (!next) return;
    await offerRound(this.#context, next.project_id, next.id);
    await announceRound(this.#context, next.id);
  }
}

/** Ends a job without a result. A plan's own step that does not come pauses its task: somebody must look. */
async function endWithoutResult(
  tx: Querier,
  id: JobId,
  state: 'failed' | 'cancelled',
  changes: { message: string; metrics?: object },
): Promise<JobRow | undefined> {
  const row = await moveJob(tx, id, state, changes);
  if (row && row.step !== null) {
    await tx.query(
      `update tasks set state = 'paused', reason = $2, updated_at = now() where id = $1 and state = 'running'`,
      [row.task_id, `cloud-step-${state}: ${changes.message}`.slice(0, 500)],
    );
  }
  return row;
}

/** Why the weights of a job may not become the task's next version. */
async function obstacle(tx: Querier, task: TaskRow, job: JobRow): Promise<string | undefined> {
  if (task.state === 'cancelled' || task.state === 'failed' || task.state === 'completed')
    return `The task is ${task.state}.`;
  if (task.current_version !== job.base_version)
    return 'The task has moved on to another version: the weights were trained from one that is not current any more.';
  const [round] = await tx.query(
    'select 1 from rounds where task_id = $1 and ended_at is null and not requested limit 1',
    [task.id],
  );
  return round && 'A round of the task is under way.';
}
