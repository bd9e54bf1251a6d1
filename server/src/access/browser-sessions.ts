import { createHash, randomBytes } from 'node:crypto';
import { ProblemError, type KeyId, type PersonId, type ProjectId, type Role } from '@starling/protocol';
import type { BrowserSession } from '@starling/protocol/api';
import { hashSecret } from '../devices/secrets.ts';
import type { Database, Querier } from '../storage/database.ts';
import type { CallerIdentity } from './caller.ts';
import { readProject } from './projects.ts';

/** A session ends after this at the latest, and before when nothing was asked for the second. */
const lastsFor = '12 hours';
const idleFor = '1 hour';

/** Sessions of one API key or person at a time. */
const sessionsPerOwner = 32;

/** Who a session is opened for. The hash is that of the secret: with the secret's end, the session ends. */
export type SessionOwner =
  { readonly keyId: KeyId; readonly keyHash: string } | { readonly personId: PersonId };

interface SessionRow {
  key_id: KeyId | null;
  person_id: PersonId | null;
  project_id: ProjectId;
  expires_at: Date;
  name: string;
  key_role: Role | null;
  key_project: ProjectId | null;
  stale: boolean;
}

/** Who a session's cookie stands for, and what is told of it. */
export interface IdentifiedSession extends CallerIdentity {
  name: string;
  expiresAt: Date;
}

/**
 * Opens a session and gives its secret, new each time: a secret that was there before sign-in is never taken on. `before`
 * is the session that the browser had. It ends, and so do the oldest of an owner who has too many: `ended`, by their hashes.
 */
export async function openBrowserSession(
  querier: Querier,
  owner: SessionOwner,
  projectId: ProjectId,
  before: string | undefined,
): Promise<{ secret: string; ended: string[] }> {
  const secret = randomBytes(32).toString('base64url');
  const ended = await querier.query<{ hash: string }>(
    `delete from browser_sessions where expires_at < now() or hash = $1 or hash in (
       select hash from browser_sessions where key_id = $2 or person_id = $3
        order by created_at desc, hash offset ${sessionsPerOwner - 1})
     returning hash`,
    [
      before === undefined ? null : hashSecret(before),
      'keyId' in owner ? owner.keyId : null,
      'personId' in owner ? owner.personId : null,
    ],
  );
  await querier.query(
    `insert into browser_sessions (hash, key_id, key_hash, person_id, project_id, expires_at)
     values ($1, $2, $3, $4, $5, now() + interval '${lastsFor}')`,
    [
      hashSecret(secret),
      'keyId' in owner ? owner.keyId : null,
      'keyId' in owner ? owner.keyHash : null,
      'personId' in owner ? owner.personId : null,
      projectId,
    ],
  );
  return { secret, ended: ended.map(({ hash }) => hash) };
}

/**
 * Whose session this is. `wanted` names another project to act in, which a person may who is a member there, and a
 * `server` key. `isUse`: whether this keeps the session from ending for want of use. Throws `unauthenticated`, and
 * `not-found` for a project that is not the caller's.
 */
export async function identifyBrowserSession(
  database: Database,
  secret: string,
  { wanted, isUse }: { wanted: string | undefined; isUse: boolean },
): Promise<IdentifiedSession> {
  const hash = hashSecret(secret);
  const [row] = await database.query<SessionRow>(
    `select s.key_id, s.person_id, s.project_id, s.expires_at, coalesce(k.name, p.name) as name,
            k.role as key_role, k.project_id as key_project, s.used_at < now() - interval '1 minute' as stale
       from browser_sessions s left join api_keys k on k.id = s.key_id left join people p on p.id = s.person_id
      where s.hash = $1 and s.expires_at > now() and s.used_at > now() - interval '${idleFor}'
        and (k.id is null or (k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
             and (k.hash = s.key_hash or (k.old_hash = s.key_hash and k.old_until > now()))))`,
    [hash],
  );
  if (!row) throw over();
  if (row.stale && isUse) {
    await database.query('update browser_sessions set used_at = now() where hash = $1', [hash]);
  }
  const own = await roleIn(database, row, row.project_id);
  if (!own) throw over();
  const role = wanted === undefined ? own : await roleIn(database, row, wanted);
  if (!role) throw new ProblemError('not-found', `There is no project ${wanted ?? row.project_id}.`);
  const actor = row.key_id ?? row.person_id;
  if (!actor) throw new TypeError('A session belongs to a key or to a person.');
  // A project in which the caller has a role exists, so `wanted` is the id of one.
  const projectId = (wanted ?? row.project_id) as ProjectId;
  return { actor, role, projectId, name: row.name, expiresAt: row.expires_at };
}

/** What the page of a session is told. */
export async function browserSessionView(
  database: Database,
  secret: string,
  session: IdentifiedSession,
): Promise<BrowserSession> {
  return {
    role: session.role,
    project: await readProject(database, session, session.projectId),
    name: session.name,
    csrf: csrfOf(secret),
    expiresAt: session.expiresAt.toISOString(),
  };
}

/** The token that requests of a session's own pages carry; it follows from the secret and does not give it away. */
export function csrfOf(secret: string): string {
  return createHash('sha256').update(`csrf\n${secret}`).digest('base64url');
}

/** Lets a session act in a project from now on; the caller was identified in it. */
export async function moveBrowserSession(
  querier: Querier,
  secret: string,
  projectId: ProjectId,
): Promise<void> {
  await querier.query('update browser_sessions set project_id = $2 where hash = $1', [
    hashSecret(secret),
    projectId,
  ]);
}

export async function endBrowserSession(querier: Querier, secret: string): Promise<void> {
  await querier.query('delete from browser_sessions where hash = $1', [hashSecret(secret)]);
}

/** What the owner of a session is in a project; `undefined` where it is nothing. */
async function roleIn(
  database: Database,
  { key_role: keyRole, key_project: keyProject, person_id: personId }: SessionRow,
  project: string,
): Promise<Role | undefined> {
  if (keyRole && keyProject === project) return keyRole;
  if (keyRole && keyRole !== 'server') return undefined;
  const [row] = keyRole
    ? await database.query<{ role: Role }>("select 'server' as role from projects where id = $1", [project])
    : await database.query<{ role: Role }>(
        'select role from members where person_id = $1 and project_id = $2 and removed_at is null',
        [personId, project],
      );
  return row?.role;
}

function over(): ProblemError {
  return new ProblemError('unauthenticated', 'There is no session, or it has ended. Sign in.');
}
