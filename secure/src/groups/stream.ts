import type { Masks } from '../masks/masks.ts';

/** Words a block of the stream is made of at a time. */
const buffered = 1024;

/** The ChaCha20 stream of a 32-byte key (RFC 8439, nonce 0, counter from 0), read word by word or byte by byte. */
export class KeyStream {
  readonly #masks: Pick<Masks, 'add32'>;
  readonly #key: Uint8Array;
  readonly #words = new Uint32Array(buffered);
  #at = 0;

  constructor(masks: Pick<Masks, 'add32'>, key: Uint8Array) {
    this.#masks = masks;
    this.#key = key;
  }

  /** The next word, 0 to 2^32 - 1. */
  word(): number {
    const within = this.#at % buffered;
    if (within === 0) {
      this.#words.fill(0);
      this.#masks.add32(this.#key, this.#words, this.#at, 1);
    }
    this.#at++;
    return this.#words[within]!;
  }

  /** A whole number from 0 to `below` - 1, each with the same probability (`below` from 1 to 2^32 - 1). */
  below(below: number): number {
    const bound = below >>> 0; // engines divide unsigned integers ten times faster than numbers
    for (;;) {
      const word = this.word() >>> 0;
      // The first comparison decides nearly always, and needs no division.
      if (word <= 2 ** 32 - bound || word < 2 ** 32 - (2 ** 32 % bound)) return word % bound;
    }
  }

  /** The next bytes; a started word is not used further. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0, word = 0; at < length; at++, word >>>= 8) {
      if (at % 4 === 0) word = this.word();
      bytes[at] = word;
    }
    return bytes;
  }
}
