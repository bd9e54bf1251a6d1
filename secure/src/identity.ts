/** Ed25519 (RFC 8032) by tweetnacl: how a device is known. */
import { concatBytes, toHex, utf8Encode } from '@starling/protocol';
import nacl from 'tweetnacl';

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

/**
 * The y coordinates of the points of small order, in every encoding that decoders take (the sign bit apart). Under
 * such a key one signature verifies for many messages, so it proves nothing.
 */
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
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

/**
 * Whether this is the key's signature of `message` for `purpose`. False, too, for keys and signatures of wrong length,
 * and for a signature whose second half is not below the order (RFC 8032, section 5.1.7): tweetnacl would take it,
 * WebCrypto would not, and anyone could make a second valid signature from the first. False for keys of small order.
 */
export function verify(
  publicKey: Uint8Array,
  purpose: string,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!isBelowOrder(signature.subarray(32)) || isOfSmallOrder(publicKey)) return false;
  return nacl.sign.detached.verify(framed(purpose, message), signature, publicKey);
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

function isBelowOrder(scalar: Uint8Array): boolean {
  for (let at = 31; at >= 0; at--) {
    if (scalar[at] !== order[at]) return scalar[at]! < order[at]!;
  }
  return false;
}

function isOfSmallOrder(publicKey: Uint8Array): boolean {
  const y = publicKey.slice();
  y[31]! &= 0x7f;
  return smallOrder.includes(toHex(y));
}
