import { SumOverflow, assertSumFits } from '@starling/secure';
import { initialise, type Model } from '@starling/model';
import {
  digestTensors,
  largestGroup,
  ProblemError,
  sourcesOf,
  taskTransitions,
  tensorsOf,
  writeWeights,
  type EvaluationSpec,
  type Plan,
  type ProblemPart,
  type ProjectId,
  type Round,
  type Task,
  type TaskId,
  type TaskRequest,
  type TaskState,
  type UpdateBlock,
  type VersionId,
} from '@starling/protocol';
import { announceRound, announceTask } from './announce.ts';
import { secureFacts } from './round-facts.ts';
import { blocksOf, hasLearnedRates, layoutFor, statisticChannels } from './blocks.ts';
import { newId, type Context } from './context.ts';
import type { Commit, Querier } from '../storage/database.ts';
import { registerBlob } from './publish.ts';
import { abandon, afterAbandoning, type AbandonedRound } from './round-end.ts';
import { advanceTask, openRound } from './round-opening.ts';
import { offerRound } from './round-selection.ts';
import type { RoundRow, TaskRow, VersionRow } from './rows.ts';
import { readTask, readVersion, refusePruned, roundView, taskView } from './views.ts';
import { teacherOf } from '../training/jobs.ts';

/** Creates a task in state `draft` with its version 0: fresh weights by the plan's seed, or a given version's. */
export async function createTask(
  context: Context,
  projectId: ProjectId,
  request: TaskRequest,
  commit: Commit<Task>,
): Promise<Task> {
  const model = await context.models.get(projectId, request.model);
  checkPlan(request.plan, model);
  if (request.plan.hybrid) {
    await context.cloud.choose(request.plan.hybrid.work);
    await teacherOf(context.database, projectId, request.plan.hybrid.work);
  }
  const layout = layoutFor(model, request.plan);
  let file: Uint8Array;
  let digest: string;
  if (request.weights === undefined) {
    const { learning } = request.plan;
    const { values } = initialise(
      model,
      request.plan.seed,
      learning.algorithm === 'meta-sgd' ? { learnedRates: learning.initialRate } : {},
    );
    file = writeWeights(layout, values);
    digest = digestTensors(tensorsOf(layout, values));
  } else {
    const version = await startingVersion(context, projectId, request, request.weights);
    file = await context.blobs.get(version.weights);
    digest = version.digest;
  }
  const weights = await context.blobs.put(file);
  const view = await commit(async (tx) => {
    const taskId = newId('task');
    const versionId = newId('version');
    const [task] = await tx.query<TaskRow>(
      `insert into tasks (id, project_id, name, model_digest, plan, state, current_version)
       values ($1, $2, $3, $4, $5, 'draft', $6) returning *`,
      [taskId, projectId, request.name, request.model, request.plan, versionId],
    );
    if (!task) throw new TypeError('INSERT … RETURNING gave no row.');
    await tx.query(
      `insert into model_versions (id, project_id, task_id, number, digest, weights, bytes, parent)
       values ($1, $2, $3, 0, $4, $5, $6, $7)`,
      [versionId, projectId, taskId, digest, weights, file.length, request.weights ?? null],
    );
    await registerBlob(tx, task, { sha256: weights, bytes: file.length });
    return taskView(task);
  });
  context.failpoint('task-created');
  context.announce.live(projectId, { kind: 'task', task: view });
  return view;
}

/** The version that a task wants to start from. Throws `not-found`, and `invalid-plan` for one of another model. */
export async function startingVersion(
  context: Context,
  projectId: ProjectId,
  request: Pick<TaskRequest, 'model' | 'plan'>,
  id: VersionId,
): Promise<VersionRow> {
  const version = await readVersion(context.database, id);
  if (version.project_id !== projectId)
    throw new ProblemError('not-found', `There is no model version ${id}.`);
  refusePruned(version);
  const source = await readTask(context.database, version.task_id);
  const rates = (plan: Plan) => (hasLearnedRates(plan) ? 'with' : 'without');
  if (source.model_digest !== request.model || rates(source.plan) !== rates(request.plan)) {
    throw new ProblemError(
      'invalid-plan',
      `Version ${id} is of model ${source.model_digest} ${rates(source.plan)} learned rates; the task wants ${request.model} ${rates(request.plan)} them.`,
    );
  }
  return version;
}

/** Starts a draft task or resumes a paused one: its next round opens at once. */
export async function startTask(
  context: Context,
  id: TaskId,
  from: 'draft' | 'paused',
  commit: Commit<Task>,
): Promise<Task> {
  let next: RoundRow | undefined;
  const started = await commit(async (tx) => {
    const [row] = await tx.query(
      "update tasks set state = 'running', updated_at = now() where id = $1 and state = $2 returning id",
      [id, from],
    );
    if (!row) await refuseUnless(tx, id, 'running');
    next = row && (await advanceTask(tx, id));
    return taskView(await readTask(tx, id));
  });
  await announceTask(context, id);
  if (next) {
    context.failpoint('round-opened');
    await offerRound(context, next.project_id, next.id);
    await announceRound(context, next.id);
  }
  return started;
}

/** Pauses a running task: the round under way goes on to its end, no further round opens. */
export async function pauseTask(context: Context, id: TaskId, commit: Commit<Task>): Promise<Task> {
  const paused = await commit((tx) => moveTask(tx, id, 'paused', null));
  await announceTask(context, id);
  return paused;
}

/** Cancels a task: in the same transaction its rounds under way are abandoned, and its jobs in the cloud are to end. */
export async function cancelTask(context: Context, id: TaskId, commit: Commit<Task>): Promise<Task> {
  const underWay =
    'select * from rounds where task_id = $1 and ended_at is null order by sequence for update';
  let ended: AbandonedRound[] = [];
  const cancelled = await commit(async (tx) => {
    ended = []; // a transaction may be run again
    await tx.query(underWay, [id]); // rounds before their task, as whoever publishes locks them
    const task = await moveTask(tx, id, 'cancelled', 'cancelled by request');
    await tx.query('update jobs set cancel_requested = true where task_id = $1 and ended_at is null', [id]);
    const rounds = await tx.query<RoundRow>(underWay, [id]); // one may have been opened meanwhile
    for (const round of rounds) ended.push(await abandon(tx, round, 'task-cancelled'));
    return task;
  });
  await announceTask(context, id);
  for (const round of ended) await afterAbandoning(context, round);
  return cancelled;
}

/** Opens an evaluation round beside the plan's own sequence; the task may have ended. */
export async function requestEvaluation(
  context: Context,
  id: TaskId,
  spec: EvaluationSpec,
  version: VersionId | undefined,
  commit: Commit<Round>,
): Promise<Round> {
  const task = await readTask(context.database, id);
  checkEvaluation(spec, task.plan, 'spec');
  if (version !== undefined) {
    const row = await readVersion(context.database, version);
    if (row.task_id !== id) throw new ProblemError('not-found', `Task ${id} has no version ${version}.`);
  }
  const round = await commit(async (tx) => {
    const [locked] = await tx.query<TaskRow>('select * from tasks where id = $1 for update', [id]);
    if (!locked) throw new ProblemError('not-found', `There is no task ${id}.`);
    const base = version ?? locked.current_version;
    const [held] = await tx.query<VersionRow>('select * from model_versions where id = $1 for share', [base]);
    if (held) refusePruned(held);
    const opened = await openRound(
      tx,
      locked,
      {
        kind: 'evaluation',
        number: locked.rounds_published,
        goal: spec.goal,
        minimum: spec.minimum,
        target: spec.goal,
        selection: spec.select ?? {},
        evaluation: spec,
        requested: true,
      },
      base,
    );
    return roundView(opened);
  });
  await offerRound(context, task.project_id, round.id);
  await announceRound(context, round.id);
  return round;
}

async function moveTask(tx: Querier, id: TaskId, to: TaskState, reason: string | null): Promise<Task> {
  const [row] = await tx.query(
    'update tasks set state = $2, reason = $3, updated_at = now() where id = $1 and state = any($4) returning id',
    [id, to, reason, sourcesOf(taskTransitions, to)],
  );
  if (!row) await refuseUnless(tx, id, to);
  return taskView(await readTask(tx, id));
}

/** Asking for the state that the task is in already is no error. */
async function refuseUnless(tx: Querier, id: TaskId, wanted: TaskState): Promise<void> {
  const task = await readTask(tx, id);
  if (task.state === wanted) return;
  const may = taskTransitions[task.state].join(', ') || 'nothing: it has ended';
  throw new ProblemError(
    'illegal-transition',
    `Task ${id} is ${task.state}; from there it may become ${may}, not ${wanted}.`,
  );
}

/** Checks a plan against its model; throws `invalid-plan` naming every field that does not fit. */
function checkPlan(plan: Plan, model: Model): void {
  const errors = planProblems(plan, model);
  if (errors.length === 0) return;
  const first = errors[0];
  throw new ProblemError(
    'invalid-plan',
    `The plan does not fit: ${first?.path ?? ''} ${first?.message ?? ''}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}.`,
    { errors },
  );
}

/** Every field of a plan that does not fit its model, by its path from `plan`. */
export function planProblems(plan: Plan, model: Model): ProblemPart[] {
  const errors: ProblemPart[] = [];
  const { cohort, learning, statistics, evaluation } = plan;
  for (const [path, sizes] of [
    ['plan.cohort', cohort],
    ['plan.statistics', statistics],
    ['plan.evaluation.spec', evaluation?.spec],
  ] as const) {
    if (sizes && sizes.minimum > sizes.goal) {
      errors.push({
        path: `${path}.minimum`,
        message: `is ${sizes.minimum}, above the goal of ${sizes.goal}`,
      });
    }
  }
  if (statistics && statisticChannels(model) === 0) {
    errors.push({
      path: 'plan.statistics',
      message: 'asks for input statistics, but the model has no "standardise" to put them in',
    });
  }
  if (plan.adaptation.rate === 'learned' && learning.algorithm !== 'meta-sgd') {
    errors.push({ path: 'plan.adaptation.rate', message: 'is "learned", but only meta-sgd learns rates' });
  }
  if (plan.pace && plan.pace.minDelayMs > plan.pace.maxDelayMs) {
    errors.push({ path: 'plan.pace.minDelayMs', message: 'is above maxDelayMs' });
  }
  const target = Math.max(Math.ceil(cohort.goal * cohort.overSelection), statistics?.goal ?? 0);
  for (const kind of ['training', 'statistics'] as const) {
    if (kind === 'statistics' && !statistics) continue;
    for (const block of blocksOf(kind, model, plan, null)) {
      try {
        assertSumFits(block, { maxWeight: plan.maxWeight, maxCount: target });
      } catch (error) {
        if (!(error instanceof SumOverflow)) throw error;
        errors.push({ path: `plan.encoding (${block.name})`, message: error.message });
      }
    }
  }
  if (errors.length === 0) errors.push(...secureProblems(plan, model));
  if (evaluation)
    collect(errors, () => {
      checkEvaluation(evaluation.spec, plan, 'plan.evaluation.spec');
    });
  return errors;
}

/** What keeps a plan's groups from being formed, or their sums from being read. */
function secureProblems(plan: Plan, model: Model): ProblemPart[] {
  const { secure, cohort, statistics, evaluation } = plan;
  if (!secure) return [];
  const { target, minimum } = secure.groupSize;
  const errors: ProblemPart[] = [];
  if (minimum > target) {
    errors.push({
      path: 'plan.secure.groupSize.minimum',
      message: `is ${minimum}, above the target of ${target}`,
    });
  }
  for (const [path, sizes] of [
    ['plan.cohort.minimum', cohort],
    ['plan.statistics.minimum', statistics],
  ] as const) {
    if (sizes && sizes.minimum < minimum) {
      errors.push({ path, message: `is ${sizes.minimum}; a sum is of ${minimum} updates at least` });
    }
  }
  for (const kind of ['training', 'statistics', 'evaluation'] as const) {
    if ((kind === 'statistics' && !statistics) || (kind === 'evaluation' && !evaluation)) continue;
    const blocks = blocksOf(kind, model, plan, evaluation?.spec ?? null);
    try {
      secureFacts(plan, blocks);
      if (kind === 'training') requireShortWords(plan, blocks);
    } catch (error) {
      if (!(error instanceof SumOverflow)) throw error;
      errors.push({ path: `plan.secure (${kind})`, message: error.message });
    }
  }
  return errors;
}

/**
 * A ring of 16 bits is there for short updates: a parameter is one word of it. With an encoding that needs more, 32 bits
 * are as short or shorter. Throws SumOverflow, which says what to lower.
 */
function requireShortWords({ secure, maxWeight }: Plan, blocks: readonly UpdateBlock[]): void {
  if (secure?.ring !== 16) return;
  for (const block of blocks) {
    if (block.name === 'metrics') continue; // a handful, over as many words as they need
    assertSumFits(block, { maxWeight, maxCount: largestGroup(secure) }, 2 ** 15 - 1);
  }
}

function collect(errors: ProblemPart[], check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    errors.push(...(error.extra.errors ?? []));
  }
}

function checkEvaluation(spec: EvaluationSpec, plan: Plan, path: string): void {
  const errors: ProblemPart[] = [];
  if (spec.rate === 'learned' && plan.learning.algorithm !== 'meta-sgd') {
    errors.push({ path: `${path}.rate`, message: 'is "learned", but only meta-sgd learns rates' });
  }
  if (spec.minimum > spec.goal) {
    errors.push({ path: `${path}.minimum`, message: `is ${spec.minimum}, above the goal of ${spec.goal}` });
  }
  const least = plan.secure?.groupSize.minimum ?? 1;
  if (spec.minimum < least) {
    errors.push({
      path: `${path}.minimum`,
      message: `is ${spec.minimum}; a sum is of ${least} updates at least`,
    });
  }
  const steps = spec.alone?.steps ?? spec.steps;
  if (steps.some((count, index) => index > 0 && count <= (steps[index - 1] ?? 0))) {
    errors.push({ path: `${path}.steps`, message: 'must increase' });
  }
  if (errors.length > 0) {
    throw new ProblemError(
      'invalid-plan',
      `The evaluation does not fit: ${errors[0]?.path ?? ''} ${errors[0]?.message ?? ''}.`,
      { errors },
    );
  }
}
