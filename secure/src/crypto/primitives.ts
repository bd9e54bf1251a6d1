import nacl from 'tweetnacl';
import { hasStrictForm } from '../identity.ts';
import type { CryptoProvider, RandomBytes } from './provider.ts';
import { requireLength, SecureError } from './secure-error.ts';

/**
 * The operations in which implementations differ. Arguments have their lengths already; what is accepted and refused is
 * decided once, in {@link providerOf}.
 */
export interface Primitives {
  /** RFC 7748, section 5; all zero for a point of small order. */
  readonly x25519: (scalar: Uint8Array, point: Uint8Array) => Promise<Uint8Array>;
  /** RFC 8032, section 5.1.6. */
  readonly sign: (seed: Uint8Array, message: Uint8Array) => Promise<Uint8Array>;
  /** RFC 8032, section 5.1.7, without the cofactor: [S]B = R + [k]A. Key and signature have the strict form. */
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;
  readonly sha256: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** RFC 5869. */
  readonly hkdf: (
    secret: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ) => Promise<Uint8Array>;
}

/** u = 9 (RFC 7748, section 4.1). */
const basePoint = Uint8Array.of(9, ...new Uint8Array(31));

/** RFC 5869, section 2.3: at most 255 blocks of the hash. */
const longestKey = 255 * 32;

/** A provider of these primitives, with one set of checks for all, and the secretbox of tweetnacl. */
export function providerOf(name: string, randomBytes: RandomBytes, primitives: Primitives): CryptoProvider {
  const { x25519 } = primitives;

  return {
    name,
    randomBytes,
    async keyPair() {
      const secretKey = randomBytes(32);
      requireLength('A random secret key', secretKey, 32);
      return { publicKey: await x25519(secretKey, basePoint), secretKey };
    },
    async sharedSecret(secretKey, publicKey) {
      requireLength('An X25519 secret key', secretKey, 32);
      requireLength('An X25519 public key', publicKey, 32);
      const shared = await x25519(secretKey, publicKey);
      if (isZero(shared))
        throw new SecureError(
          'weak-key',
          'The public key has small order: the shared secret is zero for every secret key. Refuse its owner.',
        );
      return shared;
    },
    async sign(seed, message) {
      requireLength('An Ed25519 seed', seed, 32);
      return primitives.sign(seed, message);
    },
    async verify(publicKey, message, signature) {
      return hasStrictForm(publicKey, signature) && primitives.verify(publicKey, message, signature);
    },
    sha256: (bytes) => primitives.sha256(bytes),
    async deriveKey(secret, salt, info, length) {
      if (!Number.isInteger(length) || length < 1 || length > longestKey)
        throw new SecureError(
          'wrong-length',
          `A derived key has 1 to ${longestKey} bytes (RFC 5869), not ${length}.`,
        );
      if (secret.length === 0)
        throw new SecureError('wrong-length', 'A key is derived from a secret of at least one byte.');
      return primitives.hkdf(secret, salt, info, length);
    },
    seal(key, nonce, plain) {
      requireSecretbox(key, nonce);
      return nacl.secretbox(plain, nonce, key);
    },
    open(key, nonce, sealed) {
      requireSecretbox(key, nonce);
      return nacl.secretbox.open(sealed, nonce, key) ?? undefined;
    },
  };
}

function requireSecretbox(key: Uint8Array, nonce: Uint8Array): void {
  requireLength('A secretbox key', key, 32);
  requireLength('A secretbox nonce', nonce, 24);
}

/** RFC 7748, section 6.1: without a branch on any byte. */
function isZero(bytes: Uint8Array): boolean {
  return bytes.reduce((or, byte) => or | byte, 0) === 0;
}
