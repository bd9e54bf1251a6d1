import { ProblemError } from '@starling/protocol';

export type DeviceProblem =
  /** The project revoked this device: it has stopped for good. */
  | 'device-revoked'
  /** The enrolment token is not valid: the device has stopped until the app has another. */
  | 'enrolment-refused'
  /** No answer from the server; the device tries again by itself. */
  | 'offline'
  /** The server answered with something else than its API says. */
  | 'answer-malformed'
  /** A blob's bytes do not have the digest that names them. */
  | 'blob-corrupt'
  /** What the device knew of its secure group is gone: it cannot take part in that group again. */
  | 'group-state-lost'
  /** The code that masks updates could not be loaded. The device declines secure tasks, and tries again at the next. */
  | 'secure-not-loaded'
  /** The server put an assignment into another group after its update had entered one. */
  | 'second-group'
  /** The server says that the device accepted an assignment which it was never offered. */
  | 'not-agreed'
  /** The server changed what an assignment asks for after the device had agreed to it. */
  | 'work-changed'
  /** An assignment that was to be masked is asked for in the clear. */
  | 'masks-withdrawn'
  /** There are no data for the task. */
  | 'no-examples'
  /** The worker that trains could not be started, or died. */
  | 'worker-failed';

/** What an app can act on: `code` is stable; the message says what happened, what was expected, what to do. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code: DeviceProblem;

  constructor(code: DeviceProblem, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A piece of work that failed, with the code of its error: `training-diverged`, `examples-mismatch`, `update-…` */
export class WorkError extends Error {
  override readonly name = 'WorkError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Nothing that the device does will change these: it stops. */
export function endsDevice(error: unknown): error is DeviceError {
  return (
    error instanceof DeviceError && (error.code === 'device-revoked' || error.code === 'enrolment-refused')
  );
}

/** The same may succeed later: no connection, a login page of a network in between, a server that restarts or is overloaded. */
export function isTransient(error: unknown): boolean {
  if (error instanceof DeviceError)
    return ['offline', 'answer-malformed', 'secure-not-loaded'].includes(error.code);
  if (!(error instanceof ProblemError)) return false;
  return error.status >= 500 || ['rate-limited', 'upload-busy', 'challenge-invalid'].includes(error.code);
}

/** How long the server asked to be left alone, in milliseconds; 0 where it did not. */
export function askedDelayMs(error: unknown): number {
  return error instanceof ProblemError ? (error.extra.retryAfterMs ?? 0) : 0;
}

/** The device's session is over, or the server that knew the device has forgotten it: another session may help. */
export function wantsNewSession(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false;
  return ['session-expired', 'unauthenticated', 'device-unknown'].includes(error.code);
}

/** A server's refusal as the device reports it: those that end the device are errors of the device. */
export function refusalOf(problem: unknown, status: number): ProblemError | DeviceError {
  const error = ProblemError.from(problem, status);
  if (error.code !== 'device-revoked' && error.code !== 'enrolment-refused') return error;
  return new DeviceError(error.code, error.message, { cause: error });
}
