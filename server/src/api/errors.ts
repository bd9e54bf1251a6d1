import { ProblemError, type ProblemPart } from '@starling/protocol';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { delayFrom } from '../coordinator/steering.ts';
import { BlobMissing } from '../storage/blobs.ts';
import { DatabaseError, DatabaseUnavailable } from '../storage/database.ts';

/** Those that are turned away at one moment do not come back at one. */
const unavailableWindow = { minDelayMs: 500, maxDelayMs: 5_000 };

/** What PostgreSQL answers to U+0000 in a text, to \u0000 in a JSON value, and to numbers and times out of range. */
const unstorable = new Set(['22021', '22P05', '22003', '22008', '22015']);

/** Every error leaves as a problem document (RFC 9457); what we did not foresee leaves as `internal`, and is logged. */
export function toProblemError(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof BlobMissing) return new ProblemError('not-found', error.message);
  if (error instanceof DatabaseUnavailable) {
    return new ProblemError('unavailable', 'The database does not answer. Try again.', {
      retryAfterMs: delayFrom(unavailableWindow, Math.random()),
    });
  }
  if (error instanceof DatabaseError && unstorable.has(error.sqlState ?? '')) {
    return new ProblemError(
      'invalid-request',
      'A text of the request holds U+0000, or a number is beyond what can be stored. Leave it away.',
    );
  }
  if (isFastifyError(error)) {
    if (error.validation) {
      const errors: ProblemPart[] = error.validation.map((failure) => ({
        path: `${error.validationContext ?? 'request'}${failure.instancePath}`,
        message: describe(failure),
      }));
      const first = errors[0];
      return new ProblemError(
        'invalid-request',
        `${first?.path ?? 'The request'} ${first?.message ?? 'is invalid'}.`,
        { errors },
      );
    }
    if (error.statusCode === 413) return new ProblemError('payload-too-large', error.message);
    if (error.statusCode === 415) return new ProblemError('unsupported-media-type', error.message);
    if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
      return new ProblemError('invalid-request', error.message);
    }
  }
  return new ProblemError('internal', 'The server failed on this request. It is logged; try again.');
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = answerError(error, request, reply);
  void reply.type('application/problem+json').send(problem.toProblem());
}

/** Logs what is our own fault and sets all of the answer but its body. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): ProblemError {
  const problem = toProblemError(error);
  if (problem.status >= 500) request.log.error({ error }, 'request failed');
  const { retryAfterMs } = problem.extra;
  if (retryAfterMs !== undefined) void reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  void reply.status(problem.status);
  return problem;
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && ('statusCode' in error || 'validation' in error);
}

function describe(failure: { message?: string; keyword: string; params: Record<string, unknown> }): string {
  const { keyword, params, message } = failure;
  if (keyword === 'additionalProperties') {
    return `has the unknown property ${JSON.stringify(params['additionalProperty'])}`;
  }
  if (keyword === 'enum' && Array.isArray(params['allowedValues'])) {
    return `must be one of ${params['allowedValues'].map(String).join(', ')}`;
  }
  return message ?? 'is invalid';
}
