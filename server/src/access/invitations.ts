import type { Invitation, Member } from '@starling/protocol/api';
import { ProblemError, type MemberId, type PersonId, type ProjectId } from '@starling/protocol';
import type { Querier } from '../storage/database.ts';
import { namesOf, type CallerIdentity } from './caller.ts';
import { readMember, type MemberRow } from './members.ts';

/** Invitations as those see them who are invited: whoever has a membership already says to each other one whether they want it. */
export interface InvitationRow extends MemberRow {
  project_name: string;
  project_created_at: Date;
  invited: PersonId;
}

/** Open invitations with their projects, and the people that they would be of by the e-mail verified last. */
export const invitationSource = `(
  select m.*, null as name, pr.name as project_name, pr.created_at as project_created_at, p.id as invited
    from members m join people p on p.email = m.email join projects pr on pr.id = m.project_id
   where m.person_id is null and m.removed_at is null) as invitations`;

export function invitationView(row: InvitationRow): Invitation {
  return {
    id: row.id,
    project: {
      id: row.project_id,
      name: row.project_name,
      createdAt: row.project_created_at.toISOString(),
    },
    role: row.role,
    createdAt: row.created_at.toISOString(),
  };
}

/**
 * Makes the caller the member of a project that invited them. Throws `not-found` for an invitation of others, and
 * `illegal-transition` for who is a member there under another e-mail.
 */
export async function acceptInvitation(tx: Querier, caller: CallerIdentity, id: MemberId): Promise<Member> {
  const { personId, projectId } = await readOwnInvitation(tx, caller, id);
  const [joined] = await tx.query(
    `update members m set person_id = $2, joined_at = now()
      where id = $1 and person_id is null and removed_at is null
        and not exists (select 1 from members o
                         where o.project_id = m.project_id and o.person_id = $2 and o.removed_at is null)
     returning id`,
    [id, personId],
  );
  if (!joined) throw new ProblemError('illegal-transition', 'You are a member of this project already.');
  return readMember(tx, projectId, id);
}

/** Ends an invitation of the caller. Throws as {@link acceptInvitation} does. */
export async function declineInvitation(tx: Querier, caller: CallerIdentity, id: MemberId): Promise<Member> {
  const { projectId } = await readOwnInvitation(tx, caller, id);
  await tx.query('update members set removed_at = now() where id = $1 and person_id is null', [id]);
  return readMember(tx, projectId, id);
}

async function readOwnInvitation(
  tx: Querier,
  { actor, projectId }: CallerIdentity,
  id: MemberId,
): Promise<{ personId: PersonId; projectId: ProjectId }> {
  const { personId } = namesOf(actor);
  const [own] = await tx.query<InvitationRow>(
    `select * from ${invitationSource} where id = $1 and invited = $2`,
    [id, personId],
  );
  if (own && personId) return { personId, projectId: own.project_id };
  await readMember(tx, projectId, id); // whoever may not see it hears that there is none
  throw new ProblemError('illegal-transition', `Only whom ${id} invites answers it, as long as it is open.`);
}
