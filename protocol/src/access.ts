/**
 * Roles of API keys and of people, least first; each may do all that those before it may. A viewer reads everything but keys and
 * enrolment tokens; an operator runs tasks, rounds and models; an admin hands out keys and tokens; `server` makes
 * projects, and may act in any of them; no person has it.
 */
export const roles = ['viewer', 'operator', 'admin', 'server'] as const;
export type Role = (typeof roles)[number];

/** Whether a key of role `held` may do what `least` is enough for. */
export function isAtLeast(held: Role, least: Role): boolean {
  return roles.indexOf(held) >= roles.indexOf(least);
}

/** Roles that a person may have in a project. */
export const personRoles = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[];
export type PersonRole = (typeof personRoles)[number];

/** Names the project to act in, for a `server` key or a person: without it, the key's own or the one of the session. */
export const projectHeader = 'starling-project';

/** Carries the token of the session on each request by cookie that changes something. */
export const csrfHeader = 'x-starling-csrf';
