import { ProblemError } from '@starling/protocol';

/** What to tell a person of an error: the server's words, or that it was not reached. */
export function messageOf(error: Error): string {
  if (!(error instanceof ProblemError)) return error.message;
  const parts = error.extra.errors?.map(({ path, message }) => `${path}: ${message}`) ?? [];
  return [error.message, ...parts].join('\n');
}
