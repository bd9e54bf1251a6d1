import { ModelError, parseModel, type Model } from '@starling/model';
import {
  digestJson,
  ProblemError,
  type DeviceId,
  type Plan,
  type ProjectId,
  type Task,
  type TaskId,
  type TaskRequest,
  type VersionId,
} from '@starling/protocol';
import type { TaskValidation } from '@starling/protocol/api';
import { TaskRequest as TaskRequestSchema } from '@starling/protocol/schemas';
import { Ajv } from 'ajv';
import { Type } from 'typebox';
import type { Commit, Querier } from '../storage/database.ts';
import { blocksOf, layoutFor } from './blocks.ts';
import type { Context } from './context.ts';
import { updateByteLimit } from './contribution.ts';
import type { TaskRow } from './rows.ts';
import { describeFailures } from './schema-problems.ts';
import { createTask, planProblems, startingVersion } from './tasks.ts';
import { readTask } from './views.ts';

/** What is tried: a task request, with the IR itself if one likes. */
interface Draft {
  model?: string;
  ir?: unknown;
  plan: Plan;
  weights?: VersionId;
}

type Problems = TaskValidation['problems'];

const { model: modelDigest, ...otherFields } = TaskRequestSchema.properties;
const checkDraft = new Ajv({
  useDefaults: true,
  allErrors: true,
  strict: false,
  validateFormats: false,
  verbose: true,
}).compile(
  Type.Object(
    { ...otherFields, model: Type.Optional(modelDigest), ir: Type.Optional(Type.Unknown()) },
    { additionalProperties: false },
  ),
);

/** A task of a project; throws `not-found`, also for another project's. */
export async function ownedTask(querier: Querier, projectId: ProjectId, id: TaskId): Promise<TaskRow> {
  const row = await readTask(querier, id);
  if (row.project_id !== projectId) throw new ProblemError('not-found', `There is no task ${id}.`);
  return row;
}

/** Makes a draft with the model and the plan of a task, but for what is given. */
export async function cloneTask(
  context: Context,
  projectId: ProjectId,
  id: TaskId,
  changes: { name?: string; plan?: Plan; weights?: VersionId },
  commit: Commit<Task>,
): Promise<Task> {
  const task = await ownedTask(context.database, projectId, id);
  const request = {
    name: changes.name ?? task.name,
    model: task.model_digest,
    plan: changes.plan ?? task.plan,
    ...(changes.weights !== undefined && { weights: changes.weights }),
  };
  return createTask(context, projectId, request, commit);
}

/**
 * Everything wrong with a task at once: fields against the schema, the model, and the plan against the model once the
 * fields fit. An IR is read up to its first fault. Nothing is stored.
 */
export async function validateTask(
  context: Context,
  projectId: ProjectId,
  request: object,
): Promise<TaskValidation> {
  const draft = structuredClone(request) as Draft; // a Draft once the check below says so
  const problems: Problems = checkDraft(draft) ? [] : describeFailures(checkDraft.errors ?? []);
  const fieldsFit = problems.length === 0;
  const model = await modelOf(context, projectId, draft, problems);
  if (!model || !fieldsFit) return { valid: false, problems, estimate: null };
  const { plan, weights } = draft;
  for (const { path, message } of planProblems(plan, model)) {
    const [, place = path, part] = /^(\S+)(?: \((.*)\))?$/.exec(path) ?? [];
    problems.push({
      pointer: `/${place.replaceAll('.', '/')}`,
      message: part === undefined ? message : `(${part}) ${message}`,
    });
  }
  if (weights !== undefined) {
    const wanted: Pick<TaskRequest, 'model' | 'plan'> = { model: draft.model ?? digestJson(model.ir), plan };
    await collect(problems, '/weights', () => startingVersion(context, projectId, wanted, weights));
  }
  const valid = problems.length === 0;
  return { valid, problems, estimate: valid ? await estimate(context, projectId, plan, model) : null };
}

async function modelOf(
  context: Context,
  projectId: ProjectId,
  { model, ir }: Partial<Draft>,
  problems: Problems,
): Promise<Model | undefined> {
  if ((model === undefined) === (ir === undefined)) {
    problems.push({ pointer: '', message: 'needs either "model" (the digest of an uploaded IR) or "ir"' });
    return undefined;
  }
  if (ir !== undefined) {
    try {
      return parseModel(ir);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const path = error.path.replace(/\[(\d+)\]/g, '.$1').replaceAll('.', '/');
      problems.push({ pointer: path === '' ? '/ir' : `/ir/${path}`, message: error.message });
      return undefined;
    }
  }
  if (typeof model !== 'string') return undefined; // the schema said so
  return collect(problems, '/model', () => context.models.get(projectId, model));
}

/** What the work gives; a ProblemError of it becomes a problem at this place. */
async function collect<T>(
  problems: Problems,
  pointer: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    problems.push({ pointer, message: error.message });
    return undefined;
  }
}

async function estimate(
  context: Context,
  projectId: ProjectId,
  plan: Plan,
  model: Model,
): Promise<TaskValidation['estimate']> {
  const layout = layoutFor(model, plan);
  const devices = await context.database.query<{ id: DeviceId }>(
    "select id from devices where project_id = $1 and state = 'active' and labels @> $2",
    [projectId, plan.cohort.select ?? {}],
  );
  return {
    parameters: layout.learnable.size,
    bytesDown: layout.size * Float32Array.BYTES_PER_ELEMENT,
    bytesUp: updateByteLimit(blocksOf('training', model, plan, null)),
    rounds: plan.rounds,
    updates: plan.rounds * plan.cohort.goal,
    devices: devices.length,
    online: devices.filter(({ id }) => context.presence.isPresent(id)).length,
  };
}
