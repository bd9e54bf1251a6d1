import type { Release } from '@starling/protocol/api';

/**
 * What rolling back would serve, by the releases of a task, newest first and all of them: a promotion goes on top, a
 * rollback takes the top away. `undefined` when nothing was promoted before.
 */
export function rollbackTarget<R extends Pick<Release, 'kind'>>(releases: readonly R[]): R | undefined {
  const promoted: R[] = [];
  for (const release of [...releases].reverse()) {
    if (release.kind === 'promotion') promoted.push(release);
    else promoted.pop();
  }
  return promoted.at(-2);
}
