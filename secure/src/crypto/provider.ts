/** What SA-1 needs of cryptography. Same bytes on the wire whatever provides it. */
export interface CryptoProvider {
  readonly name: string;
  /** From the source that was handed in. */
  randomBytes(length: number): Uint8Array;
  /** X25519 (RFC 7748): a fresh pair; 32 bytes each. */
  keyPair(): Promise<KeyPair>;
  /**
   * X25519 (RFC 7748, section 6.1): 32 bytes; to be put through {@link deriveKey} before use.
   * @throws SecureError `weak-key` when the shared secret is all zero, `wrong-length` unless both keys have 32 bytes.
   */
  sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array>;
  /**
   * Ed25519 (RFC 8032) with a 32-byte seed: 64 bytes, the same for the same message.
   * @throws SecureError `wrong-length` for a seed of another length.
   */
  sign(seed: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  /** False, too, for whatever `hasStrictForm` of ../identity.ts refuses. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** SHA-256 (FIPS 180-4): 32 bytes. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /**
   * HKDF-SHA256 (RFC 5869), extract and expand.
   * @throws SecureError `wrong-length` unless `length` is in 1..8160 and the secret has at least one byte.
   */
  deriveKey(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array>;
  /**
   * XSalsa20-Poly1305 (NaCl secretbox): 24-byte nonce, 32-byte key; 16 bytes longer than `plain`.
   * @throws SecureError `wrong-length` for a key or nonce of another length.
   */
  seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array;
  /**
   * undefined when it was not sealed so.
   * @throws SecureError `wrong-length` for a key or nonce of another length.
   */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** A source of random bytes fit for keys; each call answers `length` new ones. */
export type RandomBytes = (length: number) => Uint8Array;
