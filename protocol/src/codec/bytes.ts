import { EncodingError } from './encoding-error.ts';

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two lower-case hexadecimal digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += pairs[byte]!;
  return text;
}

/** Reads lower-case hexadecimal digits. Throws {@link EncodingError} `invalid-hex`. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const bad = text.search(/[^0-9a-f]/);
  if (bad !== -1 || text.length % 2 !== 0) {
    throw new EncodingError(
      'invalid-hex',
      bad === -1 ? text.length : bad,
      'The text is not hexadecimal: an even number of the digits 0-9 and a-f (lower case) is expected.',
    );
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** All parts after one another, in new memory. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Negative, zero or positive as `left` sorts before, with or after `right`, byte by byte, shorter first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const difference = left[at]! - right[at]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
