/** The messages of SA-1 byte by byte (docs/secure-aggregation.md); decoders take exactly what encoders make. */
import { concatBytes } from '@starling/protocol';
import { decodeEntry, encodeEntry, entryBytes, type RosterEntry } from '../groups/roster.ts';
import { integer, packBits, Reader, sameBytes, unpackBits } from './bytes.ts';
import { Refusal } from './refusal.ts';
import type { Ring } from './words.ts';

export const protocolVersion = 1;

/** Second byte of a message. */
export const messageType = {
  terms: 1,
  keys: 2,
  roster: 3,
  reveal: 4,
  nonces: 5,
  shares: 6,
  inbox: 7,
  upload: 8,
  survivors: 9,
  signature: 10,
  signatures: 11,
  unmask: 12,
  end: 13,
} as const;
export type MessageKind = keyof typeof messageType;

/** Two secrets of 32 bytes, sealed: 16 bytes more. */
export const boxBytes = 80;

/** Which of a member's two secrets a share is of. */
export const secretKind = { selfMask: 1, maskKey: 2 } as const;
export type SecretKind = (typeof secretKind)[keyof typeof secretKind];

/** How a group ended, as END says it. */
export const outcomes = [
  'summed',
  'cancelled',
  'too-few-keys',
  'no-degree',
  'nonce-missing',
  'too-few-shares',
  'too-few-uploads',
  'survivors-not-connected',
  'too-few-signatures',
  'secret-not-rebuilt',
  'sum-spoiled',
] as const;
export type Outcome = (typeof outcomes)[number];

export interface Shares {
  readonly from: number;
  /** SHA-256 that fixes the self-mask secret, so that a wrong rebuilding is noticed. */
  readonly selfCommitment: Uint8Array;
  /** A sealed box for each neighbour, ascending. */
  readonly boxes: readonly Uint8Array[];
}

export interface Inbox {
  readonly to: number;
  /** Boxes of neighbours that shared, ascending by sender. */
  readonly boxes: readonly { readonly from: number; readonly box: Uint8Array }[];
}

export interface UploadHeader {
  readonly from: number;
  readonly ring: Ring;
  /** Coordinates. */
  readonly length: number;
  /** SHA-256 of the masked words as bytes. */
  readonly digest: Uint8Array;
}

export interface MemberSignature {
  readonly from: number;
  readonly signature: Uint8Array;
}

export interface Unmask {
  readonly from: number;
  /** Ascending by owner; one share of one secret for each. */
  readonly shares: readonly UnmaskShare[];
}

export interface UnmaskShare {
  readonly owner: number;
  readonly kind: SecretKind;
  readonly share: Uint8Array;
}

/** Kind of a message from its first bytes. Throws {@link Refusal} `malformed`, `wrong-version`, `wrong-type`. */
export function kindOf(bytes: Uint8Array): MessageKind {
  const reader = new Reader(bytes);
  const version = reader.integer(1);
  if (version !== protocolVersion) {
    throw new Refusal('wrong-version', `Version ${version} of SA; ${protocolVersion} was expected.`);
  }
  const type = reader.integer(1);
  const kind = (Object.keys(messageType) as MessageKind[]).find((name) => messageType[name] === type); // its own keys
  if (kind === undefined) throw new Refusal('wrong-type', `There is no message of type ${type}.`);
  return kind;
}

export function encodeKeys(context: Uint8Array, entry: RosterEntry): Uint8Array {
  return message('keys', context, encodeEntry(entry));
}

export function decodeKeys(bytes: Uint8Array, context: Uint8Array): RosterEntry {
  return read('keys', bytes, context, (reader) => decodeEntry(reader.bytes(entryBytes)));
}

export function encodeRoster(context: Uint8Array, entries: readonly RosterEntry[]): Uint8Array {
  return message('roster', context, integer(entries.length, 2), ...entries.map(encodeEntry));
}

export function decodeRoster(bytes: Uint8Array, context: Uint8Array): RosterEntry[] {
  return read('roster', bytes, context, (reader) =>
    times(reader.integer(2), () => decodeEntry(reader.bytes(entryBytes))),
  );
}

/** Members of a roster that was decoded before. */
export function rosterSize(roster: Uint8Array): number {
  return (roster.length - 36) / entryBytes;
}

export function encodeReveal(context: Uint8Array, from: number, nonce: Uint8Array): Uint8Array {
  return message('reveal', context, integer(from, 2), nonce);
}

export function decodeReveal(bytes: Uint8Array, context: Uint8Array): { from: number; nonce: Uint8Array } {
  return read('reveal', bytes, context, (reader) => ({ from: reader.integer(2), nonce: reader.bytes(32) }));
}

export function encodeNonces(context: Uint8Array, nonces: readonly Uint8Array[]): Uint8Array {
  return message('nonces', context, integer(nonces.length, 2), ...nonces);
}

export function decodeNonces(bytes: Uint8Array, context: Uint8Array): Uint8Array[] {
  return read('nonces', bytes, context, (reader) => times(reader.integer(2), () => reader.bytes(32)));
}

export function encodeShares(context: Uint8Array, { from, selfCommitment, boxes }: Shares): Uint8Array {
  return message('shares', context, integer(from, 2), selfCommitment, integer(boxes.length, 2), ...boxes);
}

export function decodeShares(bytes: Uint8Array, context: Uint8Array): Shares {
  return read('shares', bytes, context, (reader) => ({
    from: reader.integer(2),
    selfCommitment: reader.bytes(32),
    boxes: times(reader.integer(2), () => reader.bytes(boxBytes)),
  }));
}

export function encodeInbox(context: Uint8Array, { to, boxes }: Inbox): Uint8Array {
  const parts = boxes.flatMap(({ from, box }) => [integer(from, 2), box]);
  return message('inbox', context, integer(to, 2), integer(boxes.length, 2), ...parts);
}

export function decodeInbox(bytes: Uint8Array, context: Uint8Array): Inbox {
  return read('inbox', bytes, context, (reader) => {
    const to = reader.integer(2);
    const boxes = times(reader.integer(2), () => ({ from: reader.integer(2), box: reader.bytes(boxBytes) }));
    requireAscending(boxes.map(({ from }) => from));
    return { to, boxes };
  });
}

export function encodeUpload(context: Uint8Array, { from, ring, length, digest }: UploadHeader): Uint8Array {
  return message('upload', context, integer(from, 2), integer(ring, 1), integer(length, 4), digest);
}

export function decodeUpload(bytes: Uint8Array, context: Uint8Array): UploadHeader {
  return read('upload', bytes, context, (reader) => {
    const from = reader.integer(2);
    const ring = reader.integer(1);
    if (ring !== 16 && ring !== 32) throw new Refusal('malformed', `There is no ring of ${ring} bits.`);
    return { from, ring, length: reader.integer(4), digest: reader.bytes(32) };
  });
}

export function encodeSurvivors(context: Uint8Array, survivors: readonly boolean[]): Uint8Array {
  return message('survivors', context, integer(survivors.length, 2), packBits(survivors));
}

export function decodeSurvivors(bytes: Uint8Array, context: Uint8Array): boolean[] {
  return read('survivors', bytes, context, (reader) => {
    const size = reader.integer(2);
    return unpackBits(reader.rest(), size);
  });
}

export function encodeSignature(context: Uint8Array, { from, signature }: MemberSignature): Uint8Array {
  return message('signature', context, integer(from, 2), signature);
}

export function decodeSignature(bytes: Uint8Array, context: Uint8Array): MemberSignature {
  return read('signature', bytes, context, readSignature);
}

export function encodeSignatures(context: Uint8Array, list: readonly MemberSignature[]): Uint8Array {
  const parts = list.flatMap(({ from, signature }) => [integer(from, 2), signature]);
  return message('signatures', context, integer(list.length, 2), ...parts);
}

export function decodeSignatures(bytes: Uint8Array, context: Uint8Array): MemberSignature[] {
  return read('signatures', bytes, context, (reader) => {
    const list = times(reader.integer(2), () => readSignature(reader));
    requireAscending(list.map(({ from }) => from));
    return list;
  });
}

export function encodeUnmask(context: Uint8Array, { from, shares }: Unmask): Uint8Array {
  const parts = shares.flatMap(({ owner, kind, share }) => [integer(owner, 2), integer(kind, 1), share]);
  return message('unmask', context, integer(from, 2), integer(shares.length, 2), ...parts);
}

export function decodeUnmask(bytes: Uint8Array, context: Uint8Array): Unmask {
  return read('unmask', bytes, context, (reader) => {
    const from = reader.integer(2);
    const shares = times(reader.integer(2), () => {
      const owner = reader.integer(2);
      const kind = reader.integer(1);
      if (kind !== secretKind.selfMask && kind !== secretKind.maskKey) {
        throw new Refusal('malformed', `There is no kind ${kind} of share.`);
      }
      return { owner, kind, share: reader.bytes(32) };
    });
    requireAscending(shares.map(({ owner }) => owner));
    return { from, shares };
  });
}

export function encodeEnd(context: Uint8Array, outcome: Outcome): Uint8Array {
  return message('end', context, integer(outcomes.indexOf(outcome), 1));
}

export function decodeEnd(bytes: Uint8Array, context: Uint8Array): Outcome {
  return read('end', bytes, context, (reader) => {
    const outcome = outcomes[reader.integer(1)];
    if (outcome === undefined) throw new Refusal('malformed', 'There is no such outcome.');
    return outcome;
  });
}

function readSignature(reader: Reader): MemberSignature {
  return { from: reader.integer(2), signature: reader.bytes(64) };
}

/** version, type, context, fields. */
function message(kind: MessageKind, context: Uint8Array, ...fields: Uint8Array[]): Uint8Array {
  return concatBytes(integer(protocolVersion, 1), integer(messageType[kind], 1), context, ...fields);
}

function read<T>(
  kind: MessageKind,
  bytes: Uint8Array,
  context: Uint8Array,
  fields: (reader: Reader) => T,
): T {
  const found = kindOf(bytes);
  if (found !== kind) throw new Refusal('wrong-type', `A message "${found}" instead of "${kind}".`);
  const reader = new Reader(bytes);
  reader.bytes(2);
  if (!sameBytes(reader.bytes(32), context)) {
    throw new Refusal('wrong-group', 'The message belongs to another group, or to other terms of this one.');
  }
  const value = fields(reader);
  reader.end();
  return value;
}

function times<T>(count: number, make: () => T): T[] {
  const list: T[] = [];
  for (let at = 0; at < count; at++) list.push(make());
  return list;
}

function requireAscending(indices: readonly number[]): void {
  if (indices.some((index, at) => at > 0 && !(indices[at - 1]! < index))) {
    throw new Refusal('malformed', 'Members repeat or do not ascend.');
  }
}
