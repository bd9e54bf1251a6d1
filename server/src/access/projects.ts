import type { Project } from '@starling/protocol/api';
import { ProblemError, type ProjectId } from '@starling/protocol';
import { newId } from '../coordinator/context.ts';
import type { Database, Querier } from '../storage/database.ts';
import type { CallerIdentity } from './caller.ts';

export interface ProjectRow {
  id: ProjectId;
  name: string;
  created_at: Date;
}

export async function createProject(querier: Querier, name: string): Promise<Project> {
  const [row] = await querier.query<ProjectRow>(
    'insert into projects (id, name) values ($1, $2) returning *',
    [newId('project'), name],
  );
  if (!row) throw new TypeError('INSERT … RETURNING gave no row.');
  return projectView(row);
}

/** A project that the caller may see: the one it acts in, or any for a `server` key. Throws `not-found`. */
export async function readProject(
  database: Database,
  caller: CallerIdentity,
  id: ProjectId,
): Promise<Project> {
  const [row] =
    caller.role === 'server' || caller.projectId === id
      ? await database.query<ProjectRow>('select * from projects where id = $1', [id])
      : [];
  if (!row) throw new ProblemError('not-found', `There is no project ${id}.`);
  return projectView(row);
}

export function projectView(row: ProjectRow): Project {
  return { id: row.id, name: row.name, createdAt: row.created_at.toISOString() };
}
