/// <reference types="node" />
/**
 * Cryptography that protects nothing, with the algebra of the real one, for tests that run thousands of groups: what
 * agrees, opens and verifies there does so here, and nothing else by accident.
 */
import { createHash } from 'node:crypto';
import { concatBytes, fromHex, toHex, utf8Encode } from '@starling/protocol';
import type { CryptoProvider } from '../crypto/provider.ts';
import { SecureError } from '../crypto/secure-error.ts';
import { sameBytes } from '../protocol/bytes.ts';

function digest(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
const numberOf = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes.slice().reverse())}`);
const bytesOf = (value: bigint) =>
  fromHex(BigInt.asUintN(256, value).toString(16).padStart(64, '0')).reverse();

/** Random bytes that are the same for the same name. */
export function seededBytes(name: string): (length: number) => Uint8Array {
  let count = 0;
  return (length) => {
    const blocks: Uint8Array[] = [];
    for (let have = 0; have < length; have += 32) blocks.push(digest(utf8Encode(`${name} ${count++}`)));
    return concatBytes(...blocks).subarray(0, length);
  };
}

/** Public key of the toy signature. */
export function toyIdentity(seed: Uint8Array): Uint8Array {
  return digest(utf8Encode('identity'), seed);
}

/** "X25519" is multiplication mod 2^256 with base 9; a "signature" is a hash that anyone can make. */
export function toyCrypto(randomBytes: (length: number) => Uint8Array): CryptoProvider {
  const stream = (key: Uint8Array, nonce: Uint8Array, length: number) =>
    concatBytes(
      ...Array.from({ length: Math.ceil(length / 32) }, (_, at) => digest(key, nonce, Uint8Array.of(at))),
    ).subarray(0, length);
  const tagOf = (key: Uint8Array, nonce: Uint8Array, plain: Uint8Array) =>
    digest(nonce, key, plain).subarray(0, 16);
  const signatureOf = (publicKey: Uint8Array, message: Uint8Array) => {
    const half = digest(publicKey, message);
    return concatBytes(half, half);
  };
  return {
    name: 'toy',
    randomBytes,
    keyPair: () => {
      const secretKey = randomBytes(32).slice();
      return Promise.resolve({ secretKey, publicKey: bytesOf(9n * numberOf(secretKey)) });
    },
    sharedSecret: (secretKey, publicKey) => {
      const shared = bytesOf(numberOf(secretKey) * numberOf(publicKey));
      // Rejects as the real ones do.
      return shared.every((byte) => byte === 0)
        ? Promise.reject(new SecureError('weak-key', 'zero'))
        : Promise.resolve(shared);
    },
    sign: (seed, message) => Promise.resolve(signatureOf(toyIdentity(seed), message)),
    verify: (publicKey, message, signature) =>
      Promise.resolve(sameBytes(signature, signatureOf(publicKey, message))),
    sha256: (bytes) => Promise.resolve(digest(bytes)),
    deriveKey: (secret, salt, info, length) =>
      Promise.resolve(stream(digest(digest(secret), digest(salt), digest(info)), salt, length)),
    seal(key, nonce, plain) {
      const mask = stream(key, nonce, plain.length);
      return concatBytes(
        tagOf(key, nonce, plain),
        plain.map((byte, at) => byte ^ mask[at]!),
      );
    },
    open(key, nonce, sealed) {
      const mask = stream(key, nonce, sealed.length - 16);
      const plain = sealed.subarray(16).map((byte, at) => byte ^ mask[at]!);
      return sameBytes(tagOf(key, nonce, plain), sealed.subarray(0, 16)) ? plain : undefined;
    },
  };
}
