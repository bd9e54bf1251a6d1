import type { OptimiserState, WeightedSum } from '@starling/aggregation';
import {
  digestTensors,
  readSafetensors,
  readWeights,
  roundTransitions,
  sourcesOf,
  tensorsOf,
  writeSafetensors,
  writeWeights,
  type AssignmentId,
  type GroupId,
} from '@starling/protocol';
import { newId, type Context } from './context.ts';
import { readContribution } from './contribution.ts';
import type { RoundFacts } from './round-facts.ts';
import { resultOf, type RoundResult } from './round-result.ts';
import type { RoundRow, TaskRow, VersionRow } from './rows.ts';
import { abandonRound, afterRoundEnd } from './round-end.ts';
import { advanceTask } from './round-opening.ts';
import { readGroupSum } from './secure-groups.ts';
import { readVersion, versionView } from './views.ts';

/**
 * Publishes a closed round: the exact mean over its uploads, the server optimiser's step, the new version. Files
 * are stored first (they are named by content, so a repeated attempt stores nothing new); then one transaction
 * writes the version, the metrics, the counted assignments and the task's next round. Whoever lost the round
 * meanwhile (its `version` moved) changes nothing.
 */
export function publishRound(
  context: Context,
  round: RoundRow,
  uploads: readonly AssignmentId[],
): Promise<void> {
  const attributes = { 'starling.round': round.id, 'starling.updates': uploads.length };
  return context.observer.span('round publish', attributes, () => publish(context, round, uploads));
}

async function publish(context: Context, round: RoundRow, uploads: readonly AssignmentId[]): Promise<void> {
  const { database } = context;
  const facts = await context.rounds.get(round.id);
  const { task, base, blocks } = facts;
  const terms = { blocks, maxWeight: facts.plan.maxWeight };
  const sum = facts.secure
    ? await context.sums.total(round.id, terms, await groupsHolding(context, uploads), async (id) =>
        readGroupSum(facts, await context.staging.readSum(id)),
      )
    : await context.sums.total(round.id, terms, uploads, async (id) =>
        readContribution(await context.staging.read(id), blocks, terms.maxWeight),
      );
  const outcome = await combine(context, round, facts, sum);
  if (!outcome) {
    context.log.error(
      { roundId: round.id },
      'the combined parameters are not finite; the round is abandoned',
    );
    await abandonRound(context, round.id, 'sum-not-finite');
    return;
  }
  const version = outcome.values && (await storeVersion(context, round, facts, outcome));
  context.failpoint('version-stored');

  const published = await database.tx(async (tx) => {
    const [moved] = await tx.query<RoundRow>(
      `update rounds set state = 'published', version = version + 1, metrics = $3, ended_at = now()
        where id = $1 and version = $2 and state = any($4) returning *`,
      [round.id, round.version, outcome.metrics, sourcesOf(roundTransitions, 'published')],
    );
    if (!moved) return undefined;
    await tx.query(
      "update assignments set state = 'counted', ended_at = now() where id = any($1) and state = 'uploaded'",
      [uploads],
    );
    if (version) {
      await tx.query(
        `insert into model_versions (id, project_id, task_id, number, digest, weights, bytes, parent, round_id, optimiser_state)
         select $1, $2, $3, coalesce(max(number), 0) + 1, $4, $5, $6, $7, $8, $9
           from model_versions where task_id = $3`,
        [
          version.id,
          task.project_id,
          task.id,
          version.digest,
          version.weights,
          version.bytes,
          base.id,
          round.id,
          version.optimiserState,
        ],
      );
      for (const blob of version.blobs) await registerBlob(tx, task, blob);
      await tx.query('update rounds set published_version = $2 where id = $1', [round.id, version.id]);
      await tx.query(
        `update tasks set current_version = $2, updated_at = now(),
                rounds_published = rounds_published + $3 where id = $1`,
        [task.id, version.id, round.kind === 'training' ? 1 : 0],
      );
    }
    return { next: await advanceTask(tx, task.id) };
  });
  if (!published) return;
  context.failpoint('round-published');
  if (version) {
    const row = await readVersion(database, version.id);
    context.announce.live(task.project_id, { kind: 'version', version: versionView(row) });
  }
  await afterRoundEnd(context, round.id, published.next);
}

/** The groups whose sums hold these updates. */
async function groupsHolding(context: Context, uploads: readonly AssignmentId[]): Promise<GroupId[]> {
  const rows = await context.database.query<{ id: GroupId }>(
    'select distinct group_id as id from assignments where id = any($1) order by 1',
    [uploads],
  );
  return rows.map((row) => row.id);
}

async function combine(
  context: Context,
  { kind, evaluation, number }: RoundRow,
  { layout, base, plan }: RoundFacts,
  sum: WeightedSum,
): Promise<RoundResult | undefined> {
  const [values, optimiser] =
    kind === 'evaluation'
      ? [new Float32Array(), undefined] // what was judged has no need of them
      : [readWeights(layout, await context.blobs.get(base.weights)), await readState(context, base)];
  return resultOf({ kind, number, evaluation, plan, params: { layout, values }, optimiser }, sum);
}

async function storeVersion(
  context: Context,
  round: RoundRow,
  { layout, base }: RoundFacts,
  outcome: RoundResult,
) {
  const values = outcome.values ?? new Float32Array(layout.size);
  const file = writeWeights(layout, values);
  const weights = await context.blobs.put(file);
  const blobs = [{ sha256: weights, bytes: file.length }];
  let optimiserState = base.optimiser_state;
  if (round.kind === 'training' && outcome.optimiser) {
    const state = writeState(outcome.optimiser);
    optimiserState = await context.blobs.put(state);
    blobs.push({ sha256: optimiserState, bytes: state.length });
  }
  const digest = digestTensors(tensorsOf(layout, values));
  return { id: newId('version'), digest, weights, bytes: file.length, optimiserState, blobs };
}

export async function registerBlob(
  tx: { query(sql: string, parameters: readonly unknown[]): Promise<unknown> },
  owner: Pick<TaskRow, 'project_id'>,
  blob: { sha256: string; bytes: number },
): Promise<void> {
  await tx.query(
    `insert into blobs (project_id, sha256, bytes) values ($1, $2, $3)
     on conflict (project_id, sha256) do update set referred_at = now()`,
    [owner.project_id, blob.sha256, blob.bytes],
  );
}

/** The optimiser's state as a safetensors file: one F64 tensor a slot, the step in the metadata. */
function writeState(state: OptimiserState): Uint8Array {
  const tensors = Object.entries(state.slots).map(([name, data]) => ({
    name,
    dtype: 'F64' as const,
    shape: [data.length],
    data,
  }));
  return writeSafetensors(tensors, { step: String(state.step) });
}

async function readState(context: Context, version: VersionRow): Promise<OptimiserState | undefined> {
  if (version.optimiser_state === null) return undefined;
  const { tensors, metadata } = readSafetensors(await context.blobs.get(version.optimiser_state));
  const slots: Record<string, Float64Array> = {};
  for (const [name, tensor] of tensors) slots[name] = tensor.data as Float64Array;
  return { step: Number(metadata?.['step']), slots };
}
