import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { toHex } from './bytes.ts';

declare const brand: unique symbol;
/** SHA-256 (FIPS 180-4) as 64 lower-case hexadecimal digits. */
export type Sha256 = string & { readonly [brand]: 'Sha256' };

export function sha256(bytes: Uint8Array): Sha256 {
  return toHex(nobleSha256(bytes)) as Sha256;
}

/** SHA-256 over bytes that come in parts. */
export class Sha256Hasher {
  readonly #hash = nobleSha256.create();

  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  digest(): Sha256 {
    return toHex(this.#hash.digest()) as Sha256;
  }
}

export function isSha256(text: string): text is Sha256 {
  return /^[0-9a-f]{64}$/.test(text);
}
