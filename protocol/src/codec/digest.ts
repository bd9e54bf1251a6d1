import { sha256 as noble } from '@noble/hashes/sha2.js';
import type { Branded } from '../ids.ts';
import { toHex } from './bytes.ts';

/** A SHA-256 digest (FIPS 180-4): 64 lower-case hexadecimal digits. Blobs, models and versions are named by it. */
export type Sha256 = Branded<'Sha256'>;

/** A text is not a SHA-256 digest. */
export class DigestError extends Error {
  override readonly name = 'DigestError';
  readonly code = 'invalid-digest';
}

/** Digest of bytes that lie in memory. */
export function sha256(bytes: Uint8Array): Sha256 {
  return toHex(noble(bytes)) as Sha256; // 32 bytes in hexadecimal
}

/** Digest of bytes that come in parts. */
export class Sha256Hasher {
  readonly #hash = noble.create();

  /** Adds bytes; they are read before it returns. */
  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  /** Digest of all bytes so far. More may be added afterwards. */
  digest(): Sha256 {
    return toHex(this.#hash.clone().digest()) as Sha256; // 32 bytes in hexadecimal
  }
}

/** Checks that a text is a digest. Throws {@link DigestError}. */
export function parseSha256(text: string): Sha256 {
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new DigestError(
      `Expected a SHA-256 digest of 64 lower-case hexadecimal digits, got ${text.length} characters.`,
    );
  }
  return text as Sha256; // just checked
}
