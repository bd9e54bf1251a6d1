import type { MaskTerm, RingVector } from '@starling/secure';

/** Takes the masks off the sums of groups. */
export interface Unmasking {
  /** Applies all terms to the sum, in place. Throws {@link UnmaskingFailed}; then the sum is of no use any more. */
  apply(terms: readonly MaskTerm[], sum: RingVector): Promise<void>;
  close(): Promise<void>;
}

/** A sum is lost, and its group with it. */
export class UnmaskingFailed extends Error {
  override readonly name = 'UnmaskingFailed';
  readonly code = 'unmasking-failed';
}
