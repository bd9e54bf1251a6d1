/**
 * Roles of API keys, least first; each may do all that those before it may. A viewer reads everything but keys and
 * enrolment tokens; an operator runs tasks, rounds and models; an admin hands out keys and tokens; `server` makes
 * projects, and may act in any of them.
 */
export const roles = ['viewer', 'operator', 'admin', 'server'] as const;
export type Role = (typeof roles)[number];

/** Whether a key of role `held` may do what `least` is enough for. */
export function isAtLeast(held: Role, least: Role): boolean {
  return roles.indexOf(held) >= roles.indexOf(least);
}

/** Names the project that a `server` key acts in; without it, that is the key's own. */
export const projectHeader = 'starling-project';

/** Carries the token of a browser's session with every request that changes something. */
export const csrfHeader = 'x-starling-csrf';
