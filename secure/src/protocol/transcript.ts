/** What is signed, and what keys are derived from: every byte string that binds a secret to its place. */
import { concatBytes, utf8Encode } from '@starling/protocol';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { RosterEntry } from '../groups/roster.ts';
import { integer, packBits, shortText } from './bytes.ts';

/** What a frozen group is, for signatures and keys. */
export interface Binding {
  readonly group: string;
  /** {@link contextOf} the terms. */
  readonly context: Uint8Array;
  readonly modelDigest: Uint8Array;
  readonly rosterRoot: Uint8Array;
  readonly graphSeed: Uint8Array;
}

/** The payload of an entry's signature: both keys behind the byte of their role, and the commitment. */
export function keysPayload(context: Uint8Array, entry: Omit<RosterEntry, 'signature'>): Uint8Array {
  return concatBytes(
    utf8Encode('starling/v1/sa1-keys\0'),
    context,
    entry.identity,
    Uint8Array.of(1),
    entry.maskKey,
    Uint8Array.of(2),
    entry.shareKey,
    entry.commitment,
  );
}

/** The payload of a signature of the survivors. */
export async function survivorsPayload(
  binding: Binding,
  survivors: readonly boolean[],
  crypto: Pick<CryptoProvider, 'sha256'>,
): Promise<Uint8Array> {
  return concatBytes(
    utf8Encode('starling/v1/sa1-survivors\0'),
    binding.context,
    binding.rosterRoot,
    binding.graphSeed,
    binding.modelDigest,
    await crypto.sha256(concatBytes(integer(survivors.length, 2), packBits(survivors))),
  );
}

/** Key of the mask that two neighbours share, from their X25519 secret: 32 bytes. `low` stands first in the roster. */
export function pairMaskKey(
  shared: Uint8Array,
  binding: Binding,
  low: Uint8Array,
  high: Uint8Array,
  crypto: Pick<CryptoProvider, 'deriveKey'>,
): Promise<Uint8Array> {
  return crypto.deriveKey(shared, binding.graphSeed, info('pair', binding, low, high), 32);
}

/** Key of a member's own mask, from its self-mask secret: 32 bytes. */
export function selfMaskKey(
  secret: Uint8Array,
  binding: Binding,
  member: Uint8Array,
  crypto: Pick<CryptoProvider, 'deriveKey'>,
): Promise<Uint8Array> {
  return crypto.deriveKey(secret, binding.graphSeed, info('self', binding, member, member), 32);
}

/** Key under which `from` seals the one box for `to`, whose shares lie on `point`: 32 bytes. Used once, with nonce 0. */
export function boxKey(
  shared: Uint8Array,
  binding: Binding,
  from: Uint8Array,
  to: Uint8Array,
  point: number,
  crypto: Pick<CryptoProvider, 'deriveKey'>,
): Promise<Uint8Array> {
  return crypto.deriveKey(
    shared,
    binding.graphSeed,
    concatBytes(info('share', binding, from, to), Uint8Array.of(point)),
    32,
  );
}

/** SHA-256("starling/sa1/self-mask" 0x00 context identity secret). */
export function selfMaskCommitment(
  secret: Uint8Array,
  context: Uint8Array,
  identity: Uint8Array,
  crypto: Pick<CryptoProvider, 'sha256'>,
): Promise<Uint8Array> {
  return crypto.sha256(concatBytes(utf8Encode('starling/sa1/self-mask\0'), context, identity, secret));
}

/** "starling/sa1/" role 0x00, group, context, base model, roster root, both identities. */
function info(
  role: 'pair' | 'self' | 'share',
  binding: Binding,
  first: Uint8Array,
  second: Uint8Array,
): Uint8Array {
  return concatBytes(
    utf8Encode(`starling/sa1/${role}\0`),
    shortText(binding.group),
    binding.context,
    binding.modelDigest,
    binding.rosterRoot,
    first,
    second,
  );
}
