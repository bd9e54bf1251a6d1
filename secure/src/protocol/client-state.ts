/**
 * Where a device stands in a group. Plain data: it can be stored as it is where structured clones are (IndexedDB), or as
 * bytes. What a phase no longer needs is not in its state: once uploaded, a device has no secret of its own any more.
 */
import { fromHex, toHex, utf8Decode, utf8Encode } from '@starling/protocol';
import { integer, Reader } from './bytes.ts';
import type { Outcome } from './messages.ts';

/** What a neighbour gave into the device's keeping: a share of each of its two secrets. */
export interface HeldShares {
  /** Index of the neighbour in the roster. */
  readonly owner: number;
  readonly selfMask: Uint8Array;
  readonly maskKey: Uint8Array;
}

interface Joined {
  readonly version: 1;
  /** TERMS as received, and the context they give. */
  readonly terms: Uint8Array;
  readonly context: Uint8Array;
}

interface Secrets {
  /** From it come the nonce, the self-mask secret and the coefficients of the sharing. */
  readonly seed: Uint8Array;
  readonly maskSecret: Uint8Array;
  readonly shareSecret: Uint8Array;
}

interface Frozen {
  /** ROSTER as accepted. */
  readonly roster: Uint8Array;
  readonly rosterRoot: Uint8Array;
  /** The device's place in it. */
  readonly index: number;
}

interface Placed extends Frozen {
  /** NONCES as accepted; empty for a complete graph. */
  readonly nonces: Uint8Array;
  readonly graphSeed: Uint8Array;
}

/** KEYS is out; the roster is awaited. */
export interface ClientKeys extends Joined, Secrets {
  readonly phase: 'keys';
  readonly keys: Uint8Array;
}

/** REVEAL is out; the nonces are awaited. */
export interface ClientReveals extends Joined, Secrets, Frozen {
  readonly phase: 'reveals';
  readonly reveal: Uint8Array;
}

/** SHARES is out; the inbox is awaited. */
export interface ClientShares extends Joined, Secrets, Placed {
  readonly phase: 'shares';
  readonly shares: Uint8Array;
  /** Keys of the boxes that neighbours send. */
  readonly boxKeys: readonly { readonly from: number; readonly key: Uint8Array }[];
}

/** Everything is there to mask the update. */
export interface ClientMasking extends Joined, Secrets, Placed {
  readonly phase: 'masking';
  readonly inbox: Uint8Array;
  readonly held: readonly HeldShares[];
}

/** The masked update is out, and is kept to be sent again; the survivors are awaited. */
export interface ClientUploads extends Joined, Placed {
  readonly phase: 'uploads';
  readonly inbox: Uint8Array;
  readonly held: readonly HeldShares[];
  /** UPLOAD and the bytes behind it. */
  readonly upload: Uint8Array;
  readonly masked: Uint8Array;
}

/** SIGNATURE is out, for these survivors and no others; the signatures of the others are awaited. */
export interface ClientSigning extends Joined, Placed {
  readonly phase: 'signing';
  readonly held: readonly HeldShares[];
  /** SURVIVORS as accepted. */
  readonly survivors: Uint8Array;
  readonly signature: Uint8Array;
}

/** UNMASK is out; nothing secret is left. */
export interface ClientUnmasking extends Joined, Placed {
  readonly phase: 'unmasking';
  readonly survivors: Uint8Array;
  readonly signature: Uint8Array;
  readonly unmask: Uint8Array;
}

export interface ClientEnded extends Joined {
  readonly phase: 'ended';
  readonly outcome: Outcome;
}

export type ClientState =
  | ClientKeys
  | ClientReveals
  | ClientShares
  | ClientMasking
  | ClientUploads
  | ClientSigning
  | ClientUnmasking
  | ClientEnded;
export type ClientPhase = ClientState['phase'];

/** Phase -> the phases a device may move to. Drawn in docs/secure-aggregation.md with the same names. */
export const clientTransitions = {
  keys: ['reveals', 'shares', 'ended'],
  reveals: ['shares', 'ended'],
  shares: ['masking', 'ended'],
  masking: ['uploads', 'ended'],
  uploads: ['signing', 'ended'],
  signing: ['unmasking', 'ended'],
  unmasking: ['ended'],
  ended: [],
} as const satisfies Record<ClientPhase, readonly ClientPhase[]>;

/** Stored bytes that are no state of this version. Begin anew: for the group, the device has dropped out. */
export class StoredStateError extends Error {
  override readonly name = 'StoredStateError';
  readonly code = 'stored-state-unreadable';
}

/** A state as bytes: the length of a JSON text (4 bytes), the text, and the masked update. They hold secrets. */
export function saveClientState(state: ClientState): Uint8Array<ArrayBuffer> {
  const { masked, ...small } = 'masked' in state ? state : { ...state, masked: new Uint8Array() };
  const text = utf8Encode(
    JSON.stringify(small, (_, value: unknown) =>
      value instanceof Uint8Array ? { hex: toHex(value) } : value,
    ),
  );
  const bytes = new Uint8Array(4 + text.length + masked.length);
  bytes.set(integer(text.length, 4));
  bytes.set(text, 4);
  bytes.set(masked, 4 + text.length);
  return bytes;
}

/** Reads {@link saveClientState}. Throws {@link StoredStateError}. */
export function loadClientState(bytes: Uint8Array): ClientState {
  let small: unknown;
  let masked: Uint8Array;
  try {
    const reader = new Reader(bytes);
    small = JSON.parse(utf8Decode(reader.bytes(reader.integer(4))), (_, value: unknown) =>
      isHex(value) ? fromHex(value.hex) : value,
    );
    masked = reader.rest();
  } catch (error) {
    throw new StoredStateError(`The stored state is damaged: ${String(error)}`);
  }
  if (!isState(small)) throw new StoredStateError('The stored state is of another version.');
  return small.phase === 'uploads' ? { ...small, masked } : small;
}

/** Fills with zeros what `before` held and `after` does not: to be called once `after` is stored. */
export function eraseSuperseded(before: ClientState, after: ClientState): void {
  const kept = new Set(buffersOf(after));
  for (const bytes of buffersOf(before)) if (!kept.has(bytes)) bytes.fill(0);
}

function buffersOf(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(buffersOf) : [];
}

function isHex(value: unknown): value is { hex: string } {
  return typeof value === 'object' && value !== null && 'hex' in value && typeof value.hex === 'string';
}

/** Only as far as it tells versions apart: the bytes are the device's own. */
function isState(value: unknown): value is ClientState {
  if (typeof value !== 'object' || value === null) return false;
  const { version, phase } = value as { version?: unknown; phase?: unknown }; // any object
  return version === 1 && typeof phase === 'string' && phase in clientTransitions;
}
