/**
 * Problem details for HTTP and socket answers (RFC 9457). `code` is the stable part: the SDK's typed errors and
 * the console share it, and it never changes its meaning. The text may change.
 */
export const problems = {
  'invalid-request': { status: 400, title: 'The request does not fit its schema' },
  'invalid-model': { status: 422, title: 'The model IR was refused' },
  'invalid-plan': { status: 422, title: 'The plan does not fit the model' },
  unauthenticated: { status: 401, title: 'No valid credential was given' },
  'challenge-invalid': { status: 401, title: 'The challenge is unknown, expired or used' },
  'signature-invalid': { status: 401, title: 'The signature does not verify' },
  'session-expired': { status: 401, title: 'The device session has expired' },
  'device-unknown': { status: 401, title: 'No such device is enrolled' },
  'device-revoked': { status: 403, title: 'The device was revoked' },
  'enrolment-refused': { status: 403, title: 'The enrolment token is not valid' },
  forbidden: { status: 403, title: 'This credential may not do that' },
  csrf: { status: 403, title: 'The request does not show that it comes from a page of this server' },
  'sign-in-failed': { status: 401, title: 'The sign-in did not come to its end' },
  'sign-in-refused': { status: 403, title: 'This person may not sign in' },
  'not-found': { status: 404, title: 'No such resource' },
  'illegal-transition': { status: 409, title: 'The resource is in a state that does not allow this' },
  'idempotency-conflict': { status: 409, title: 'The idempotency key was used with another request' },
  'idempotency-busy': { status: 409, title: 'A request with this idempotency key is still running' },
  'assignment-closed': { status: 409, title: 'The assignment is over' },
  'update-already-received': { status: 409, title: 'Another update was already received' },
  'upload-offset-mismatch': { status: 409, title: 'The upload continues at another offset' },
  'upload-busy': { status: 409, title: 'Another request is writing this upload' },
  'upload-too-large': { status: 413, title: 'The upload is longer than announced' },
  'upload-digest-mismatch': { status: 422, title: 'The uploaded bytes have another digest' },
  'update-malformed': { status: 422, title: 'The update is not a well-formed safetensors file' },
  'update-wrong-shape': { status: 422, title: 'The update does not have the blocks of this round' },
  'update-not-finite': { status: 422, title: 'The update holds NaN or infinity' },
  'update-out-of-range': { status: 422, title: 'The update exceeds the range of its encoding' },
  'update-norm-exceeded': { status: 422, title: 'The update is longer than the plan clips it to' },
  'update-weight-invalid': { status: 422, title: 'The weight is outside its range' },
  'group-closed': { status: 409, title: 'The group is over' },
  'group-message-refused': { status: 422, title: 'The group does not take this message' },
  'job-not-feasible': { status: 422, title: 'No backend can run this job' },
  'forecast-refused': { status: 422, title: 'What this would take cannot be foretold' },
  'range-not-satisfiable': { status: 416, title: 'The requested range lies outside the blob' },
  'payload-too-large': { status: 413, title: 'The request body is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not accepted here' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The server failed' },
  unavailable: { status: 503, title: 'The server is shutting down or starting' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One thing wrong inside a request: where (a JSON pointer or an IR path) and what. */
export interface ProblemPart {
  path: string;
  message: string;
}

/** The body of an error answer, `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail: string;
  errors?: ProblemPart[];
  /** With `upload-offset-mismatch`: how many bytes the server holds. */
  offset?: number;
  /** With `group-message-refused`: the code of docs/secure-aggregation.md. */
  refusal?: string;
  /** With `rate-limited`: when to ask again, in milliseconds. */
  retryAfterMs?: number;
}

type ProblemExtra = Partial<Pick<Problem, 'errors' | 'offset' | 'refusal' | 'retryAfterMs'>>;

/** An error that a caller can act on by its `code`. The message says what happened, what was expected, what to do. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly extra: ProblemExtra;

  constructor(code: ProblemCode, detail: string, extra: ProblemExtra = {}) {
    super(detail);
    this.code = code;
    this.extra = extra;
  }

  get status(): number {
    return problems[this.code].status;
  }

  toProblem(): Problem {
    return {
      type: `urn:starling:problem:${this.code}`,
      title: problems[this.code].title,
      status: this.status,
      code: this.code,
      detail: this.message,
      ...this.extra,
    };
  }

  /** Reads a problem document; anything else becomes `internal` with the status in its text. */
  static from(body: unknown, status: number): ProblemError {
    if (typeof body === 'object' && body !== null && 'code' in body && 'detail' in body) {
      const { code, detail } = body;
      if (typeof code === 'string' && typeof detail === 'string' && isProblemCode(code)) {
        const extra: ProblemExtra = {};
        if ('offset' in body && typeof body.offset === 'number') extra.offset = body.offset;
        if ('refusal' in body && typeof body.refusal === 'string') extra.refusal = body.refusal;
        if ('retryAfterMs' in body && typeof body.retryAfterMs === 'number')
          extra.retryAfterMs = body.retryAfterMs;
        if ('errors' in body && Array.isArray(body.errors)) extra.errors = body.errors as ProblemPart[];
        return new ProblemError(code, detail, extra);
      }
    }
    return new ProblemError('internal', `The server answered ${status} without a problem document.`);
  }
}

export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(problems, text);
}
