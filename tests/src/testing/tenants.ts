import type { ApiKeyWithSecret, Job, Project } from '@starling/protocol/api';
import type { Role, Task } from '@starling/protocol';
import { LocalBackend, type CloudOptions } from '@starling/server';
import { Admin } from './project.ts';
import { RawDevice } from './raw-device.ts';

/** A project with a key of each role and something of every kind in it. */
export interface Tenant {
  readonly project: string;
  readonly keys: Record<Role, Admin>;
  /** Real ids by the prefix of their kind; `sha` is a model's digest, `blob` a blob's. */
  readonly ids: Record<string, string>;
  readonly device: RawDevice;
}

/** Takes the jobs of tenants, and does nothing. */
export const idleCloud = (): CloudOptions => ({
  backends: [
    new LocalBackend({ programs: { embedded: [process.execPath, '-e', 'setInterval(() => 0, 1e6)', '--'] } }),
  ],
  dataSets: { proxy: '/nowhere' },
});

/**
 * Makes a project through the `server` key. Names of other lengths give other models and weights; its task has an open round that waits for devices, and a job
 * in the {@link idleCloud} that the server must have.
 */
export async function makeTenant(server: Admin, name: string): Promise<Tenant> {
  const project = await server.post<Project>('/v1/projects', { name });
  const inProject = new Admin(server.url, server.key, project.id);
  const made: Partial<Record<Role, Admin>> = {};
  const ids: Record<string, string> = { prj: project.id };
  for (const role of ['viewer', 'operator', 'admin', 'server'] as const) {
    const key = await inProject.post<ApiKeyWithSecret>('/v1/keys', { name: role, role });
    made[role] = new Admin(server.url, key.secret);
  }
  const keys = made as Record<Role, Admin>; // all four were just made
  const spare = await keys.admin.post<ApiKeyWithSecret>('/v1/keys', { name: 'spare', role: 'viewer' });
  const token = await keys.admin.post<{ id: string; token: string }>('/v1/enrolment-tokens', {});
  const device = await RawDevice.enrolled(server.url, token.token);
  const other = await RawDevice.enrolled(server.url, token.token);
  const task = await keys.operator.tinyTask({ seed: name.length }, name);
  await keys.operator.post(`/v1/tasks/${task.id}/start`);
  const { items } = await keys.viewer.get<{ items: { id: string }[] }>(`/v1/tasks/${task.id}/rounds`);
  const { weights } = await keys.viewer.get<{ weights: string }>(`/v1/versions/${task.currentVersion}`);
  const second = await keys.operator.post<Task>(`/v1/tasks/${task.id}/clone`, {});
  await keys.operator.post(`/v1/versions/${task.currentVersion}/promote`, {});
  const work = { kind: 'evaluate', data: 'proxy', training: {} };
  const job = await keys.operator.post<Job>(`/v1/tasks/${task.id}/jobs`, { work });
  const email = `${project.id}@example.com`;
  const member = await keys.admin.post<{ id: string }>('/v1/members', { email, role: 'viewer' });
  Object.assign(ids, {
    mbr: member.id,
    key: spare.id,
    enr: token.id,
    dev: other.deviceId,
    tsk: task.id,
    rnd: items[0]?.id,
    ver: task.currentVersion,
    job: job.id,
    sha: task.model,
    blob: weights,
    second: second.id,
  });
  return { project: project.id, keys, ids, device };
}

/** Prefixes of the ids that stand in a path after these words; `sha` and `blob` are digests. */
const kindsInPaths: Readonly<Record<string, string>> = {
  projects: 'prj',
  keys: 'key',
  members: 'mbr',
  invitations: 'mbr',
  'enrolment-tokens': 'enr',
  devices: 'dev',
  tasks: 'tsk',
  rounds: 'rnd',
  versions: 'ver',
  jobs: 'job',
  models: 'sha',
  blobs: 'blob',
  assignments: 'asg',
  groups: 'grp',
};

/** A path with real ids of a tenant in place of its parameters (`:id`, `{id}`), or one that names nothing. */
export function filledPath(path: string, ids: Tenant['ids']): string {
  return path.replace(/\/([\w-]+)\/(?:\{\w+\}|:\w+)/g, (_, kind: string) => {
    const prefix = kindsInPaths[kind];
    if (prefix === undefined) throw new Error(`The tests know no id for ${path}.`);
    return `/${kind}/${ids[prefix] ?? `${prefix}_${'B'.repeat(22)}`}`;
  });
}

/** The JSON of an operation's example with real ids of a tenant in place of those that stand for them. */
export function filledExample(example: unknown, ids: Tenant['ids']): string {
  return JSON.stringify(example)
    .replace(/"([a-z]{3})_A{22}"/g, (_, prefix: string) => `"${ids[prefix] ?? ''}"`)
    .replaceAll('a'.repeat(64), ids['sha'] ?? '');
}
