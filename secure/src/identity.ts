/** Ed25519 (RFC 8032) by tweetnacl: how a device is known. */
import { utf8Encode } from '@starling/protocol';
import nacl from 'tweetnacl';

export interface Identity {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes: seed and public key. */
  readonly secretKey: Uint8Array;
}

/** A key or seed of the wrong length. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code = 'identity-malformed';
}

export function identityFromSeed(seed: Uint8Array): Identity {
  if (seed.length !== 32) throw new IdentityError(`An Ed25519 seed has 32 bytes, not ${seed.length}.`);
  return nacl.sign.keyPair.fromSeed(seed);
}

/** Signs `message` for one purpose: a signature for one purpose never verifies for another. 64 bytes. */
export function sign(identity: Identity, purpose: string, message: Uint8Array): Uint8Array {
  return nacl.sign.detached(framed(purpose, message), identity.secretKey);
}

/** Whether this is the key's signature of `message` for `purpose`. False, too, for keys and signatures of wrong length. */
export function verify(
  publicKey: Uint8Array,
  purpose: string,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return nacl.sign.detached.verify(framed(purpose, message), signature, publicKey);
}

/** 'starling/v1/' purpose 0x00 message */
function framed(purpose: string, message: Uint8Array): Uint8Array {
  const prefix = utf8Encode(`starling/v1/${purpose}\0`);
  const out = new Uint8Array(prefix.length + message.length);
  out.set(prefix);
  out.set(message, prefix.length);
  return out;
}
