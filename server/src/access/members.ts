import type { Member, MemberRequest } from '@starling/protocol/api';
import {
  ProblemError,
  type MemberId,
  type PersonId,
  type PersonRole,
  type ProjectId,
} from '@starling/protocol';
import { newId } from '../coordinator/context.ts';
import type { Database, Querier } from '../storage/database.ts';
import type { CallerIdentity } from './caller.ts';

/** Who of the people may do what in which project. A member whom no person has become yet is invited. */

export interface MemberRow {
  id: MemberId;
  project_id: ProjectId;
  email: string;
  role: PersonRole;
  person_id: PersonId | null;
  name: string | null;
  created_at: Date;
  joined_at: Date | null;
  removed_at: Date | null;
}

/** Members with the names of their people, as a source for pages. */
export const memberSource =
  '(select m.*, p.name from members m left join people p on p.id = m.person_id) as members';

/** Invites a person by e-mail. Throws `illegal-transition` for one who is a member or invited already. */
export async function inviteMember(
  querier: Querier,
  projectId: ProjectId,
  { email, role }: MemberRequest,
): Promise<Member> {
  const [row] = await querier.query<MemberRow>(
    `insert into members (id, project_id, email, role) values ($1, $2, $3, $4)
     on conflict (project_id, email) where removed_at is null do nothing returning *, null as name`,
    [newId('member'), projectId, sameEmail(email), role],
  );
  if (!row) {
    throw new ProblemError('illegal-transition', `${email} is a member already. Change the role instead.`);
  }
  return memberView(row);
}

/** Throws `not-found`, also for another project's. */
export async function readMember(querier: Querier, projectId: ProjectId, id: MemberId): Promise<Member> {
  const [row] = await querier.query<MemberRow>(
    `select * from ${memberSource} where id = $1 and project_id = $2`,
    [id, projectId],
  );
  if (!row) throw new ProblemError('not-found', `There is no member ${id}.`);
  return memberView(row);
}

/** Throws `not-found`, and `illegal-transition` for the caller's own membership and for one that was removed. */
export async function changeMember(
  tx: Querier,
  caller: CallerIdentity,
  id: MemberId,
  role: PersonRole,
): Promise<Member> {
  await readOther(tx, caller, id);
  const [row] = await tx.query(
    'update members set role = $2 where id = $1 and removed_at is null returning id',
    [id, role],
  );
  if (!row) {
    throw new ProblemError('illegal-transition', `Member ${id} was removed. Invite the person again.`);
  }
  return readMember(tx, caller.projectId, id);
}

/**
 * Removes a member, once, and ends the person's sessions in the project. Throws `not-found`, and `illegal-transition` for
 * the caller's own membership.
 */
export async function removeMember(tx: Querier, caller: CallerIdentity, id: MemberId): Promise<Member> {
  const { personId } = await readOther(tx, caller, id);
  await tx.query('update members set removed_at = coalesce(removed_at, now()) where id = $1', [id]);
  await tx.query('delete from browser_sessions where person_id = $1 and project_id = $2', [
    personId,
    caller.projectId,
  ]);
  return readMember(tx, caller.projectId, id);
}

/** Sees to it that a person may sign in as an admin of the project that is oldest, unless they are a member there. */
export async function inviteFirstAdmin(database: Database, email: string): Promise<void> {
  await database.query(
    `insert into members (id, project_id, email, role)
     select $1, id, $2, 'admin' from projects order by created_at, id limit 1
     on conflict (project_id, email) where removed_at is null do nothing`,
    [newId('member'), sameEmail(email)],
  );
}

/** Addresses are compared without regard to case: no provider in use tells two people apart by it. */
export function sameEmail(email: string): string {
  return email.trim().toLowerCase();
}

export function memberView(row: MemberRow): Member {
  return {
    id: row.id,
    projectId: row.project_id,
    email: row.email,
    role: row.role,
    personId: row.person_id,
    name: row.name,
    createdAt: row.created_at.toISOString(),
    joinedAt: row.joined_at?.toISOString() ?? null,
    removedAt: row.removed_at?.toISOString() ?? null,
  };
}

async function readOther(
  querier: Querier,
  { actor, projectId }: CallerIdentity,
  id: MemberId,
): Promise<Member> {
  const member = await readMember(querier, projectId, id);
  if (member.personId !== actor) return member;
  throw new ProblemError(
    'illegal-transition',
    'Nobody changes or removes themselves: that could leave nobody in. Ask another admin.',
  );
}
