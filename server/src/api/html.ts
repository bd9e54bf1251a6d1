import { createHash } from 'node:crypto';

/** Text inside HTML. */
export function text(raw: string): string {
  return raw.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The policy of a page with nothing but its own style sheet: no script, no other asset. */
export function stylePolicy(style: string): string {
  const digest = createHash('sha256').update(style).digest('base64');
  return `default-src 'none'; style-src 'sha256-${digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;
}
