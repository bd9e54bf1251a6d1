import {
  ProblemError,
  type KeyId,
  type ModelVersion,
  type PersonId,
  type ProjectId,
  type ReleaseId,
  type RoundId,
  type RoundKind,
  type TaskId,
  type VersionId,
} from '@starling/protocol';
import type { Lineage, Release } from '@starling/protocol/api';
import { namesOf, type Actor } from '../access/caller.ts';
import type { Commit, Querier } from '../storage/database.ts';
import { announceTask } from './announce.ts';
import { newId, type Context } from './context.ts';
import type { TaskRow, VersionRow } from './rows.ts';
import { readVersion, refusePruned, versionView } from './views.ts';

/** Which version of a task devices are served: promotions, and the way back. Training is not touched. */

export interface ReleaseRow {
  id: ReleaseId;
  project_id: ProjectId;
  task_id: TaskId;
  version_id: VersionId;
  kind: 'promotion' | 'rollback';
  before: ReleaseId | null;
  replaced: VersionId | null;
  note: string;
  key_id: KeyId | null;
  person_id: PersonId | null;
  /** Number of the version in its task. */
  number: number;
  /** Name of the key or of the person. */
  actor: string;
  created_at: Date;
}

/** Releases with the names of those who made them. */
export const namedReleases = `select r.*, v.number, coalesce(k.name, p.name) as actor
  from releases r join model_versions v on v.id = r.version_id
  left join api_keys k on k.id = r.key_id left join people p on p.id = r.person_id`;

/** Who releases. */
interface Releaser {
  projectId: ProjectId;
  actor: Actor;
}

/** A version of a project; throws `not-found`, also for another project's. */
export async function ownedVersion(
  querier: Querier,
  projectId: ProjectId,
  id: VersionId,
): Promise<VersionRow> {
  const row = await readVersion(querier, id);
  if (row.project_id !== projectId) throw new ProblemError('not-found', `There is no model version ${id}.`);
  return row;
}

/** Serves a version to devices from now on. Promoting what is served already is no error and changes nothing. */
export async function promote(
  context: Context,
  { projectId, actor }: Releaser,
  id: VersionId,
  note: string,
  commit: Commit<Release>,
): Promise<Release> {
  const version = await ownedVersion(context.database, projectId, id);
  refusePruned(version);
  const made = await commit(async (tx) => {
    const task = await lockTask(tx, projectId, version.task_id);
    const current = task.release_id && (await readRelease(tx, task.release_id));
    if (current && current.version_id === id) return releaseView(current);
    const before = task.release_id;
    return releaseView(await release(tx, task, actor, { version_id: id, kind: 'promotion', before, note }));
  });
  await announceTask(context, version.task_id);
  return made;
}

/**
 * Serves what was promoted before; again, what was promoted before that. Throws `not-found`, and `illegal-transition` when
 * nothing was.
 */
export async function rollBack(
  context: Context,
  { projectId, actor }: Releaser,
  id: TaskId,
  note: string,
  commit: Commit<Release>,
): Promise<Release> {
  const made = await commit(async (tx) => {
    const task = await lockTask(tx, projectId, id);
    const current = task.release_id && (await readRelease(tx, task.release_id));
    const target = current ? current.before && (await readRelease(tx, current.before)) : null;
    if (!target) {
      throw new ProblemError(
        'illegal-transition',
        `Task ${id} has no version that was promoted before the one it serves. Promote one.`,
      );
    }
    const { version_id, before } = target;
    return releaseView(await release(tx, task, actor, { version_id, kind: 'rollback', before, note }));
  });
  await announceTask(context, id);
  return made;
}

/** Where a version comes from: itself, its parent, and so on, over tasks too; `limit` steps at most. */
export async function lineageOf(
  querier: Querier,
  projectId: ProjectId,
  id: VersionId,
  limit: number,
): Promise<Lineage> {
  await ownedVersion(querier, projectId, id);
  const rows = await querier.query<
    VersionRow & { kind: RoundKind | null; round_number: number | null; devices: number | null }
  >(
    `with recursive line as (
       select v.*, 1 as step from model_versions v where v.id = $1
       union all
       select v.*, line.step + 1 from model_versions v join line on v.id = line.parent where line.step <= $2)
     select line.*, r.kind, r.number as round_number, (r.metrics ->> 'devices')::int as devices
       from line left join rounds r on r.id = line.round_id order by step`,
    [id, limit],
  );
  const steps = rows.slice(0, limit).map((row) => ({
    version: versionView(row),
    origin: originOf(row.round_id, row.kind, row.round_number, row.devices),
  }));
  return { steps, complete: rows.length <= limit };
}

export function releaseView(row: ReleaseRow): Release {
  return {
    id: row.id,
    taskId: row.task_id,
    version: row.version_id,
    number: row.number,
    replaced: row.replaced,
    kind: row.kind,
    note: row.note,
    keyId: row.key_id,
    personId: row.person_id,
    by: row.actor,
    createdAt: row.created_at.toISOString(),
  };
}

function originOf(
  round: ModelVersion['round'],
  kind: RoundKind | null,
  number: number | null,
  devices: number | null,
): { round: RoundId; kind: RoundKind; number: number; devices: number } | null {
  return round === null || kind === null ? null : { round, kind, number: number ?? 0, devices: devices ?? 0 };
}

/** Two releases of a task at once follow one another. */
async function lockTask(tx: Querier, projectId: ProjectId, id: TaskId): Promise<TaskRow> {
  const [task] = await tx.query<TaskRow>('select * from tasks where id = $1 and project_id = $2 for update', [
    id,
    projectId,
  ]);
  if (!task) throw new ProblemError('not-found', `There is no task ${id}.`);
  return task;
}

async function readRelease(tx: Querier, id: ReleaseId): Promise<ReleaseRow> {
  const [row] = await tx.query<ReleaseRow>(`${namedReleases} where r.id = $1`, [id]);
  if (!row) throw new TypeError(`Release ${id} is gone.`);
  return row;
}

async function release(
  tx: Querier,
  task: TaskRow,
  actor: Actor,
  { version_id, kind, before, note }: Pick<ReleaseRow, 'version_id' | 'kind' | 'before' | 'note'>,
): Promise<ReleaseRow> {
  const { keyId, personId } = namesOf(actor);
  const id = newId('release');
  await tx.query(
    `insert into releases (id, project_id, task_id, version_id, kind, before, replaced, note, key_id, person_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      id,
      task.project_id,
      task.id,
      version_id,
      kind,
      before,
      task.served_version ?? task.current_version,
      note,
      keyId,
      personId,
    ],
  );
  await tx.query('update tasks set release_id = $2, served_version = $3, updated_at = now() where id = $1', [
    task.id,
    id,
    version_id,
  ]);
  return readRelease(tx, id);
}
