/** Bytes written and read in order. Integers are little-endian. */
import { concatBytes, EncodingError, utf8Decode, utf8Encode } from '@starling/protocol';
import { Refusal } from './refusal.ts';

/** `value` in `bytes` bytes (1 to 4), little-endian. */
export function integer(value: number, bytes: 1 | 2 | 4): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 256 ** bytes) {
    throw new RangeError(`${value} is no whole number of ${bytes} bytes.`);
  }
  return Uint8Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at));
}

/** UTF-8 behind its length in one byte: 1 to 255 bytes. */
export function shortText(text: string): Uint8Array {
  const bytes = utf8Encode(text);
  if (bytes.length === 0) throw new RangeError('A name has at least one byte.');
  return concatBytes(integer(bytes.length, 1), bytes);
}

/** Whether two public byte strings are equal. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** One bit a member: bit m % 8 (lowest first) of byte floor(m / 8). Bits behind the last member are zero. */
export function packBits(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, at) => {
    if (bit) bytes[at >>> 3]! |= 1 << (at & 7);
  });
  return bytes;
}

/** Reads {@link packBits}. Throws {@link Refusal} `malformed` where the length or a bit behind the end is wrong. */
export function unpackBits(bytes: Uint8Array, size: number): boolean[] {
  if (bytes.length !== Math.ceil(size / 8)) {
    throw new Refusal('malformed', `${size} members need ${Math.ceil(size / 8)} bytes, not ${bytes.length}.`);
  }
  const bits = Array.from(
    { length: 8 * bytes.length },
    (_, at) => ((bytes[at >>> 3]! >>> (at & 7)) & 1) === 1,
  );
  if (bits.slice(size).includes(true)) throw new Refusal('malformed', 'A bit behind the last member is set.');
  return bits.slice(0, size);
}

/** Reads what was written, and nothing more or less: every method throws {@link Refusal} `malformed`. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next bytes, copied. */
  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) {
      throw new Refusal(
        'malformed',
        `The message ends at byte ${this.#bytes.length}; ${this.#at + length} were expected.`,
      );
    }
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  integer(bytes: 1 | 2 | 4): number {
    return this.bytes(bytes).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  shortText(): string {
    const length = this.integer(1);
    if (length === 0) throw new Refusal('malformed', 'A name is empty.');
    try {
      return utf8Decode(this.bytes(length));
    } catch (error) {
      if (error instanceof EncodingError) throw new Refusal('malformed', error.message);
      throw error;
    }
  }

  /** Everything up to the end. */
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new Refusal('malformed', `${this.#bytes.length - this.#at} bytes behind the end of the message.`);
    }
  }
}
