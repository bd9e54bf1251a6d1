/** Where the server stands with a group. Plain data; the mailbox is dropped as soon as it has been emptied. */
import type { Graph } from '../groups/graph.ts';
import type { RosterEntry } from '../groups/roster.ts';
import type { MaskTerm } from './masking.ts';
import type { MemberSignature, Outcome, Shares, Unmask } from './messages.ts';
import type { RingVector } from './words.ts';

interface Opened {
  /** TERMS, and the context they give. */
  readonly terms: Uint8Array;
  readonly context: Uint8Array;
}

interface Frozen extends Opened {
  /** Members, by index. */
  readonly entries: readonly RosterEntry[];
  /** Their identities in hexadecimal: by these names messages come and go. */
  readonly names: readonly string[];
  readonly rosterRoot: Uint8Array;
}

interface Placed extends Frozen {
  /** Of all members; none where the graph is complete. */
  readonly nonces: readonly Uint8Array[];
  readonly graphSeed: Uint8Array;
  readonly graph: Graph;
  readonly threshold: number;
}

/** One place for each member, empty until it spoke. */
export type Places<T> = readonly (T | null)[];

/** TERMS are out. */
export interface ServerKeys extends Opened {
  readonly phase: 'keys';
  readonly invited: readonly string[];
  readonly keys: Places<RosterEntry>;
}

/** ROSTER is out; only where the graph is drawn. */
export interface ServerReveals extends Frozen {
  readonly phase: 'reveals';
  readonly revealed: Places<Uint8Array>;
}

/** ROSTER or NONCES is out. */
export interface ServerShares extends Placed {
  readonly phase: 'shares';
  readonly shares: Places<Shares>;
}

/** INBOX is out. */
export interface ServerUploads extends Placed {
  readonly phase: 'uploads';
  readonly shares: Places<Shares>;
  /** Digests of the masked updates that were added. */
  readonly uploads: Places<Uint8Array>;
  /** Sum of the masked updates. Accepting an upload adds to it in place: a state before it must not be used again. */
  readonly sum: RingVector;
}

interface Summing extends Placed {
  /** Of those that shared: by this the rebuilt secret is known to be right. */
  readonly selfCommitments: Places<Uint8Array>;
  readonly survivors: readonly boolean[];
  readonly sum: RingVector;
}

/** SURVIVORS is out; the set is fixed. */
export interface ServerSigning extends Summing {
  readonly phase: 'signing';
  readonly signatures: Places<Uint8Array>;
}

/** SIGNATURES is out. */
export interface ServerUnmasking extends Summing {
  readonly phase: 'unmasking';
  readonly quorum: readonly MemberSignature[];
  readonly unmasks: Places<Unmask>;
}

/** The sum is known up to the masks in `work`, which are yet to be applied to `sum` (see `applyMasks`). */
export interface ServerSummed extends Frozen {
  readonly phase: 'summed';
  readonly survivors: readonly boolean[];
  readonly graphSeed: Uint8Array;
  readonly sum: RingVector;
  readonly work: readonly MaskTerm[];
}

/** Nothing is published; everything masked is dropped. */
export interface ServerAborted extends Opened {
  readonly phase: 'aborted';
  readonly reason: Exclude<Outcome, 'summed'>;
  readonly names: readonly string[];
}

export type ServerState =
  | ServerKeys
  | ServerReveals
  | ServerShares
  | ServerUploads
  | ServerSigning
  | ServerUnmasking
  | ServerSummed
  | ServerAborted;
export type ServerPhase = ServerState['phase'];

/** Phase -> the phases a group may move to. Drawn in docs/secure-aggregation.md with the same names. */
export const serverTransitions = {
  keys: ['reveals', 'shares', 'aborted'],
  reveals: ['shares', 'aborted'],
  shares: ['uploads', 'aborted'],
  uploads: ['signing', 'aborted'],
  signing: ['unmasking', 'aborted'],
  unmasking: ['summed', 'aborted'],
  summed: [],
  aborted: [],
} as const satisfies Record<ServerPhase, readonly ServerPhase[]>;
