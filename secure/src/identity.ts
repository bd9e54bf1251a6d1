/** Ed25519 (RFC 8032) by tweetnacl: how a device is known. */
import { concatBytes, toHex, utf8Encode } from '@starling/protocol';
import nacl from 'tweetnacl';
import type { CryptoProvider } from './crypto/provider.ts';

export interface Identity {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes: seed and public key. */
  readonly secretKey: Uint8Array;
}

/** A seed of the wrong length, or a purpose that cannot separate domains. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code = 'identity-malformed';
}

/** The order of the base point, 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032, section 5.1). */
const order = Uint8Array.of(
  ...[0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
);

/** The prime of the field, 2^255 - 19, little-endian. */
const prime = Uint8Array.of(0xed, ...new Uint8Array(30).fill(0xff), 0x7f);

/** The y coordinates of the points of small order. Under such a key one signature verifies for many messages. */
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

/** The identity of a seed (32 random bytes, made and kept by the caller). Throws {@link IdentityError}. */
export function identityFromSeed(seed: Uint8Array): Identity {
  if (seed.length !== 32) throw new IdentityError(`An Ed25519 seed has 32 bytes, not ${seed.length}.`);
  return nacl.sign.keyPair.fromSeed(seed);
}

/**
 * Signs `message` for one purpose: a signature for one purpose never verifies for another. 64 bytes.
 * Throws {@link IdentityError} where the purpose is empty or holds U+0000.
 */
export function sign(identity: Identity, purpose: string, message: Uint8Array): Uint8Array {
  return nacl.sign.detached(framed(purpose, message), identity.secretKey);
}

/** Whether this is the key's signature of `message` for `purpose`. False for what {@link hasStrictForm} refuses. */
export function verify(
  publicKey: Uint8Array,
  purpose: string,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return (
    hasStrictForm(publicKey, signature) &&
    nacl.sign.detached.verify(framed(purpose, message), signature, publicKey)
  );
}

/** The same bytes as {@link sign}, by a provider: where the platform has Ed25519, some ten times as fast. */
export function signWith(
  provider: Pick<CryptoProvider, 'sign'>,
  seed: Uint8Array,
  purpose: string,
  message: Uint8Array,
): Promise<Uint8Array> {
  return provider.sign(seed, framed(purpose, message));
}

/** The same answer as {@link verify}, by a provider, off the thread that asks where the platform does so. */
export function verifyWith(
  provider: Pick<CryptoProvider, 'verify'>,
  publicKey: Uint8Array,
  purpose: string,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return provider.verify(publicKey, framed(purpose, message), signature);
}

/**
 * Whether key and signature are of a form about which all implementations agree, and that proves something: their
 * lengths (32 and 64 bytes); the second half of the signature below the order (RFC 8032, section 5.1.7; else anyone
 * could make a second valid signature from the first); key and first half of the signature canonical (section 5.1.3)
 * and not of small order, as Web Cryptography Level 2 asks.
 */
export function hasStrictForm(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === 32 &&
    signature.length === 64 &&
    isBelow(signature.subarray(32), order) &&
    isStrictPoint(publicKey) &&
    isStrictPoint(signature.subarray(0, 32))
  );
}

/** 'starling/v1/' purpose 0x00 message */
function framed(purpose: string, message: Uint8Array): Uint8Array {
  if (purpose === '' || purpose.includes('\0')) {
    throw new IdentityError(
      'A purpose is a word without U+0000; otherwise two purposes could frame the same bytes.',
    );
  }
  return concatBytes(utf8Encode(`starling/v1/${purpose}\0`), message);
}

function isStrictPoint(encoded: Uint8Array): boolean {
  const y = Uint8Array.from(encoded); // slice() of a Buffer would share its memory
  y[31]! &= 0x7f; // the sign of x
  return isBelow(y, prime) && !smallOrder.includes(toHex(y));
}

/** Of little-endian numbers of 32 bytes. Both are public. */
function isBelow(number: Uint8Array, bound: Uint8Array): boolean {
  for (let at = 31; at >= 0; at--) {
    if (number[at] !== bound[at]) return number[at]! < bound[at]!;
  }
  return false;
}
