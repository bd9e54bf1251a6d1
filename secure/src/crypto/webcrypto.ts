/** X25519, Ed25519, HKDF and SHA-256 by WebCrypto (W3C, Web Cryptography Level 2). */
import { sha256 } from '@starling/protocol';
import { portable } from './tweetnacl.ts';
import { providerOf, type Primitives } from './primitives.ts';
import type { CryptoProvider, RandomBytes } from './provider.ts';

/** What is used of `SubtleCrypto`; browsers and Node.js have it. It takes no bytes of shared memory. */
export interface Subtle {
  importKey(
    format: 'raw' | 'pkcs8',
    key: OwnBytes,
    algorithm: string,
    extractable: boolean,
    usages: ('deriveBits' | 'sign' | 'verify')[],
  ): Promise<object>;
  deriveBits(algorithm: DeriveX25519 | DeriveHkdf, key: object, bits: number): Promise<ArrayBuffer>;
  sign(algorithm: string, key: object, message: OwnBytes): Promise<ArrayBuffer>;
  verify(algorithm: string, key: object, signature: OwnBytes, message: OwnBytes): Promise<boolean>;
  digest(algorithm: string, bytes: OwnBytes): Promise<ArrayBuffer>;
}

type OwnBytes = Uint8Array<ArrayBuffer>;

interface DeriveX25519 {
  readonly name: 'X25519';
  readonly public: object;
}

interface DeriveHkdf {
  readonly name: 'HKDF';
  readonly hash: 'SHA-256';
  readonly salt: OwnBytes;
  readonly info: OwnBytes;
}

/** A secret key in PKCS #8 (RFC 8410, section 7), up to the last byte of its object identifier. */
const pkcs8Prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65];
const objectIds = { X25519: 0x6e, Ed25519: 0x70 };

/**
 * Secret keys that stay imported, by their digest: one key meets many partners, and in Node.js an import costs as much
 * as six of its uses. Two for a device's group, its identity, and one to spare.
 */
const keysKept = 4;

type SecretAlgorithm = keyof typeof objectIds;

export function nativePrimitives(subtle: Subtle): Primitives {
  const kept = new Map<string, Promise<object>>();

  function secretKeyOf(algorithm: SecretAlgorithm, secret: Uint8Array): Promise<object> {
    const name = `${algorithm} ${sha256(secret)}`;
    const known = kept.get(name);
    if (known) return known;
    const imported = importSecret(algorithm, secret);
    kept.set(name, imported);
    imported.catch(() => kept.delete(name));
    const [oldest] = kept.keys();
    if (kept.size > keysKept) kept.delete(oldest!);
    return imported;
  }

  async function importSecret(algorithm: SecretAlgorithm, secret: Uint8Array): Promise<object> {
    const encoded = Uint8Array.of(...pkcs8Prefix, objectIds[algorithm], 4, 0x22, 4, 0x20, ...secret);
    const usage = algorithm === 'X25519' ? 'deriveBits' : 'sign';
    try {
      return await subtle.importKey('pkcs8', encoded, algorithm, false, [usage]);
    } finally {
      encoded.fill(0);
    }
  }

  return {
    async x25519(scalar, point) {
      const secret = await secretKeyOf('X25519', scalar);
      const partner = await subtle.importKey('raw', copied(point), 'X25519', false, []);
      try {
        return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: partner }, secret, 256));
      } catch (error) {
        // Engines reject where the result is zero.
        const result = await portable.x25519(scalar, point);
        if (result.every((byte) => byte === 0)) return result;
        throw error;
      }
    },
    async sign(seed, message) {
      const key = await secretKeyOf('Ed25519', seed);
      return new Uint8Array(await subtle.sign('Ed25519', key, copied(message)));
    },
    async verify(publicKey, message, signature) {
      try {
        const key = await subtle.importKey('raw', copied(publicKey), 'Ed25519', false, ['verify']);
        return await subtle.verify('Ed25519', key, copied(signature), copied(message));
      } catch (error) {
        // Where the key is no point some engines answer, others reject.
        if (await portable.verify(publicKey, message, signature)) throw error;
        return false;
      }
    },
    async sha256(bytes) {
      return new Uint8Array(await subtle.digest('SHA-256', copied(bytes)));
    },
    async hkdf(secret, salt, info, length) {
      const own = copied(secret);
      try {
        const key = await subtle.importKey('raw', own, 'HKDF', false, ['deriveBits']);
        const salted = { hash: 'SHA-256', salt: copied(salt), info: copied(info) } as const;
        return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', ...salted }, key, 8 * length));
      } finally {
        own.fill(0);
      }
    },
  };
}

/**
 * Public-key operations by the platform: X25519 5 times faster than tweetnacl's, Ed25519 50 times and more. For an engine that is known to have them
 * all; else {@link mixedProvider}. Randomness is handed in.
 */
export function webCryptoProvider(subtle: Subtle, randomBytes: RandomBytes): CryptoProvider {
  return providerOf('webcrypto', randomBytes, nativePrimitives(subtle));
}

function copied(bytes: Uint8Array): OwnBytes {
  return new Uint8Array(bytes);
}
