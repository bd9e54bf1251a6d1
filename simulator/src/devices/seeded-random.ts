import { createHash, randomBytes } from 'node:crypto';

/**
 * Random bytes of a virtual device. The first that it draws are its key, and are a function of the seed (up to 32 bytes), so
 * that the same fleet comes out of the same seed. All others are the system's: the masks of its updates must be secret here too.
 * For a device that has no key yet: one that starts again would take those bytes for something else.
 */
export function seededKey(seed: string): { bytes(length: number): Uint8Array } {
  let isDrawn = false;
  return {
    bytes(length) {
      if (isDrawn || length > 32) return new Uint8Array(randomBytes(length));
      isDrawn = true;
      return new Uint8Array(createHash('sha256').update(`${seed}\n0`).digest().subarray(0, length));
    },
  };
}
