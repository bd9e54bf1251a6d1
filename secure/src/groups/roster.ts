/** The members of a group, frozen: who they are, their keys for this group, and what fixes the graph. */
import { concatBytes, toHex, utf8Encode } from '@starling/protocol';
import type { CryptoProvider } from '../crypto/provider.ts';
import { merkleRoot } from './merkle.ts';

/** A member's keys for one group. */
export interface RosterEntry {
  /** Ed25519, 32 bytes: the device. */
  readonly identity: Uint8Array;
  /** X25519, 32 bytes: pairwise masks come from it; its secret half is shared among the neighbours. */
  readonly maskKey: Uint8Array;
  /** X25519, 32 bytes: shares are sealed under it. */
  readonly shareKey: Uint8Array;
  /** SHA-256 that fixes the member's nonce before anyone knows the others'. */
  readonly commitment: Uint8Array;
  /** Ed25519 by the identity over all of this and the group: 64 bytes. */
  readonly signature: Uint8Array;
}

export type RosterProblem = 'roster-order' | 'duplicate-key';

/** Bytes of an entry. */
export const entryBytes = 192;

/** identity, mask key, share key, commitment, signature: 192 bytes. */
export function encodeEntry(entry: RosterEntry): Uint8Array {
  return concatBytes(entry.identity, entry.maskKey, entry.shareKey, entry.commitment, entry.signature);
}

/** Reads 192 bytes. */
export function decodeEntry(bytes: Uint8Array): RosterEntry {
  if (bytes.length !== entryBytes)
    throw new RangeError(`An entry has ${entryBytes} bytes, not ${bytes.length}.`);
  return {
    identity: bytes.slice(0, 32),
    maskKey: bytes.slice(32, 64),
    shareKey: bytes.slice(64, 96),
    commitment: bytes.slice(96, 128),
    signature: bytes.slice(128, 192),
  };
}

/** The one order of a roster: ascending by the bytes of the identity. */
export function sortEntries(entries: readonly RosterEntry[]): RosterEntry[] {
  return entries
    .map((entry) => ({ entry, name: toHex(entry.identity) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ entry }) => entry);
}

/**
 * What is wrong with a roster, if anything: identities must ascend without repetition, and no X25519 key may occur twice
 * (a member that copies another's key could not be told from it).
 */
export function rosterProblem(entries: readonly RosterEntry[]): RosterProblem | undefined {
  const names = entries.map((entry) => toHex(entry.identity));
  if (names.some((name, at) => at > 0 && !(names[at - 1]! < name))) return 'roster-order';
  const keys = new Set(entries.flatMap((entry) => [toHex(entry.maskKey), toHex(entry.shareKey)]));
  return keys.size === 2 * entries.length ? undefined : 'duplicate-key';
}

/** Merkle root over the encoded entries (RFC 6962): 32 bytes. */
export function rosterRoot(
  entries: readonly RosterEntry[],
  crypto: Pick<CryptoProvider, 'sha256'>,
): Promise<Uint8Array> {
  return merkleRoot(entries.map(encodeEntry), crypto);
}

/** SHA-256("starling/sa1/nonce" 0x00 context identity nonce): says nothing about the nonce and fixes it. */
export function commitTo(
  nonce: Uint8Array,
  context: Uint8Array,
  identity: Uint8Array,
  crypto: Pick<CryptoProvider, 'sha256'>,
): Promise<Uint8Array> {
  return crypto.sha256(concatBytes(utf8Encode('starling/sa1/nonce\0'), context, identity, nonce));
}

/**
 * SHA-256("starling/sa1/graph" 0x00 root nonces): the seed of the graph. The nonces of all members, in the order of the
 * roster; none for a complete graph, which needs no seed.
 */
export function graphSeed(
  root: Uint8Array,
  nonces: readonly Uint8Array[],
  crypto: Pick<CryptoProvider, 'sha256'>,
): Promise<Uint8Array> {
  return crypto.sha256(concatBytes(utf8Encode('starling/sa1/graph\0'), root, ...nonces));
}
