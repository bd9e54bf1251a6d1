import { ProblemError, type ProblemCode } from '@starling/protocol';

/** What to tell a person of an error: the server's words. */
export function messageOf(error: Error): string {
  if (!(error instanceof ProblemError)) return error.message;
  const parts = error.extra.errors?.map(({ path, message }) => `${path}: ${message}`) ?? [];
  return [error.message, ...parts].join('\n');
}

/** A server that does not answer, fails, or has too much to do may answer the next time. */
export function mayPass(error: Error): boolean {
  return !(error instanceof ProblemError) || error.status >= 500 || error.code === 'rate-limited';
}

/** How long the server asks to be left alone, in milliseconds. */
export function waitOf(error: Error): number {
  return (error instanceof ProblemError && error.extra.retryAfterMs) || 0;
}

/** Whether nothing came back at all: `fetch` says so by a TypeError. */
export function isOffline(error: Error): boolean {
  return error instanceof TypeError;
}

/** Problems that the console has a sentence for in each language; what else there is, the server's words say. */
export const knownCodes = [
  'unauthenticated',
  'forbidden',
  'csrf',
  'sign-in-refused',
  'not-found',
  'invalid-request',
  'invalid-model',
  'invalid-plan',
  'illegal-transition',
  'idempotency-busy',
  'job-not-feasible',
  'forecast-refused',
  'payload-too-large',
  'rate-limited',
  'internal',
  'unavailable',
] as const satisfies readonly ProblemCode[];
