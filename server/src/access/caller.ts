import { isId, type KeyId, type PersonId, type ProjectId, type Role } from '@starling/protocol';

/** Who acts: an API key or a person. */
export type Actor = KeyId | PersonId;

/** Who calls the admin API, and what they are in which project. */
export interface CallerIdentity {
  actor: Actor;
  role: Role;
  projectId: ProjectId;
}

/** The two columns, or members of an answer, that name an actor: one of them is `null`. */
export function namesOf(actor: Actor): { keyId: KeyId | null; personId: PersonId | null } {
  return isId('person', actor) ? { keyId: null, personId: actor } : { keyId: actor, personId: null };
}
