/**
 * - `weak-key`: a public key under which the shared secret is zero; its owner is at fault.
 * - `wrong-length`: a key, nonce, secret, share or result of a length that cannot be.
 * - `out-of-range`: coordinates beyond the end of a key stream.
 * - `wrong-threshold`, `wrong-point`, `repeated-point`, `too-few-shares`: secret sharing.
 * - `unsupported`: the JavaScript engine lacks what was asked for.
 */
export type SecureProblem =
  | 'weak-key'
  | 'wrong-length'
  | 'out-of-range'
  | 'wrong-threshold'
  | 'wrong-point'
  | 'repeated-point'
  | 'too-few-shares'
  | 'unsupported';

/** What the building blocks of secure aggregation refuse. Messages never hold secrets. */
export class SecureError extends Error {
  override readonly name = 'SecureError';
  readonly code: SecureProblem;

  constructor(code: SecureProblem, message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws SecureError `wrong-length` */
export function requireLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length)
    throw new SecureError('wrong-length', `${what} has ${length} bytes, not ${bytes.length}.`);
}
