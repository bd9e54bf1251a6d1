import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import nacl from 'tweetnacl';
import { providerOf, type Primitives } from './primitives.ts';
import type { CryptoProvider, RandomBytes } from './provider.ts';

/**
 * Everything in JavaScript: X25519, Ed25519 and secretbox by tweetnacl. It has no SHA-256: that and HKDF are
 * @noble/hashes', which name every digest of the protocol already.
 */
export const portable: Primitives = {
  x25519: (scalar, point) => settle(() => nacl.scalarMult(scalar, point)),
  sign: (seed, message) =>
    settle(() => {
      const { secretKey } = nacl.sign.keyPair.fromSeed(seed);
      const signature = nacl.sign.detached(message, secretKey);
      secretKey.fill(0);
      return signature;
    }),
  verify: (publicKey, message, signature) =>
    settle(() => nacl.sign.detached.verify(message, signature, publicKey)),
  sha256: (bytes) => settle(() => sha256(bytes)),
  hkdf: (secret, salt, info, length) => settle(() => hkdf(sha256, secret, salt, info, length)),
};

/** Works on every JavaScript engine; the slowest. Randomness is handed in. */
export function tweetnaclProvider(randomBytes: RandomBytes): CryptoProvider {
  return providerOf('tweetnacl', randomBytes, portable);
}

/** What throws becomes a rejection. */
function settle<Result>(compute: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(compute());
  });
}
