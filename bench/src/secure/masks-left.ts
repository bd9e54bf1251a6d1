import { fromHex, toHex } from '@starling/protocol';
import type { Masks, MaskTerm, RingVector } from '@starling/secure';
import type { Unmasking } from '@starling/server';

/**
 * Masks of a whole group, put on its sum instead of on each update: those of two survivors cancel in the sum, and are
 * not made. What is left on the sum is what the devices left there; of 1,000 devices it takes seconds, not minutes.
 */
export class MasksLeft implements Masks {
  readonly name = 'left on the sum';
  /** How often each stream is in the sum, by its key. */
  readonly #times = new Map<string, number>();

  add32(key: Uint8Array, _target: Uint32Array, from: number, sign: 1 | -1): void {
    this.#note(key, from, sign);
  }

  add16(key: Uint8Array, _target: Uint16Array, from: number, sign: 1 | -1): void {
    this.#note(key, from, sign);
  }

  async addTo(sum: RingVector, unmasking: Unmasking): Promise<void> {
    const terms = [...this.#times].flatMap(([key, times]): MaskTerm[] => {
      if (times === 0) return [];
      return [{ key: fromHex(key), sign: times > 0 ? 1 : -1 }];
    });
    await unmasking.apply(terms, sum);
  }

  /** A mask comes in parts of a vector; the first stands for it. */
  #note(key: Uint8Array, from: number, sign: 1 | -1): void {
    if (from !== 0) return;
    const name = toHex(key);
    this.#times.set(name, (this.#times.get(name) ?? 0) + sign);
  }
}
