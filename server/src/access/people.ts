import type { Person } from '@starling/protocol/api';
import { ProblemError, type PersonId, type ProjectId } from '@starling/protocol';
import { newId } from '../coordinator/context.ts';
import type { Database, Querier } from '../storage/database.ts';
import { sameEmail } from './members.ts';

interface PersonRow {
  id: PersonId;
  issuer: string;
  subject: string;
  email: string;
  name: string;
  created_at: Date;
  signed_in_at: Date;
}

/** What a provider vouches for. */
export interface VouchedPerson {
  issuer: string;
  subject: string;
  /** Verified by the provider. */
  email: string;
  name: string;
}

/**
 * The person of a sign-in, and the project to begin in. Who is a member of none becomes one where this e-mail was invited
 * first: they come for it. Other invitations wait for their answer. Throws `sign-in-refused` for who is invited nowhere;
 * then nothing is kept.
 */
export function admitPerson(
  database: Database,
  vouched: VouchedPerson,
): Promise<{ personId: PersonId; projectId: ProjectId }> {
  const email = sameEmail(vouched.email);
  return database.tx(async (tx) => {
    const [person] = await tx.query<{ id: PersonId }>(
      `insert into people (id, issuer, subject, email, name) values ($1, $2, $3, $4, $5)
       on conflict (issuer, subject)
       do update set email = excluded.email, name = excluded.name, signed_in_at = now() returning id`,
      [newId('person'), vouched.issuer, vouched.subject, email, vouched.name],
    );
    if (!person) throw new TypeError('INSERT … RETURNING gave no row.');
    await tx.query(
      `update members set person_id = $1, joined_at = now()
        where id = (select id from members where email = $2 and person_id is null and removed_at is null
                     order by created_at, id limit 1)
          and not exists (select 1 from members where person_id = $1 and removed_at is null)`,
      [person.id, email],
    );
    const [member] = await tx.query<{ project_id: ProjectId }>(
      'select project_id from members where person_id = $1 and removed_at is null order by joined_at, created_at, id limit 1',
      [person.id],
    );
    if (!member) {
      throw new ProblemError(
        'sign-in-refused',
        `${vouched.email} is a member of no project here. Ask an admin of one for an invitation to this address.`,
      );
    }
    return { personId: person.id, projectId: member.project_id };
  });
}

export async function readPerson(querier: Querier, id: PersonId): Promise<Person> {
  const [row] = await querier.query<PersonRow>('select * from people where id = $1', [id]);
  if (!row) throw new ProblemError('not-found', `There is no person ${id}.`);
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    issuer: row.issuer,
    createdAt: row.created_at.toISOString(),
    signedInAt: row.signed_in_at.toISOString(),
  };
}
