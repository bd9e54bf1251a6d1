import { createHash } from 'node:crypto';

/** Random bytes that are a function of a seed: SHA-256 in counter mode. For virtual devices only, never for real keys. */
export function seededRandom(seed: string): { bytes(length: number): Uint8Array } {
  let counter = 0;
  return {
    bytes(length) {
      const out = new Uint8Array(length);
      for (let filled = 0; filled < length; filled += 32) {
        const block = createHash('sha256').update(`${seed}\n${counter++}`).digest();
        out.set(block.subarray(0, Math.min(32, length - filled)), filled);
      }
      return out;
    },
  };
}
