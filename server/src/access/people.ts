import type { Person } from '@starling/protocol/api';
import { ProblemError, type PersonId } from '@starling/protocol';
import type { Querier } from '../storage/database.ts';

interface PersonRow {
  id: PersonId;
  issuer: string;
  subject: string;
  email: string;
  name: string;
  created_at: Date;
  signed_in_at: Date;
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
