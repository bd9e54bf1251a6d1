import { EncodingError } from './encoding-error.ts';

/**
 * Base64 (RFC 4648), strict: one text for each sequence of bytes, so that equal keys are equal strings. Wrong
 * padding, other characters, and stray bits in the last character (section 3.5) are refused.
 */

interface Alphabet {
  readonly characters: string;
  /** Value of each ASCII character, 255 where it is not in the alphabet. */
  readonly values: Uint8Array;
  readonly padded: boolean;
  readonly title: string;
}

const common = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const standard = alphabet(`${common}+/`, true, 'base64 (with padding)');
const urlSafe = alphabet(`${common}-_`, false, 'base64url (without padding)');

/** Base64 with padding (RFC 4648, section 4), as HTTP structured fields carry it. */
export function toBase64(bytes: Uint8Array): string {
  return encode(bytes, standard);
}

/** Reads base64 with padding. Throws {@link EncodingError} `invalid-base64`. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return decode(text, standard);
}

/** Base64url without padding (RFC 4648, section 5): keys, signatures and cursors. */
export function toBase64Url(bytes: Uint8Array): string {
  return encode(bytes, urlSafe);
}

/** Reads base64url without padding. Throws {@link EncodingError} `invalid-base64`. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return decode(text, urlSafe);
}

function alphabet(characters: string, padded: boolean, title: string): Alphabet {
  const values = new Uint8Array(128).fill(255);
  for (let value = 0; value < 64; value++) values[characters.charCodeAt(value)] = value;
  return { characters, values, padded, title };
}

function encode(bytes: Uint8Array, { characters, padded }: Alphabet): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const rest = bytes.length - at;
    const word = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += characters[word >> 18]! + characters[(word >> 12) & 63]!;
    if (rest > 1) text += characters[(word >> 6) & 63]!;
    if (rest > 2) text += characters[word & 63]!;
    else if (padded) text += rest === 2 ? '=' : '==';
  }
  return text;
}

function decode(text: string, { values, padded, title }: Alphabet): Uint8Array<ArrayBuffer> {
  const padding = padded ? (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0) : 0;
  const length = text.length - padding;
  if (length % 4 === 1 || (padded && text.length % 4 !== 0)) {
    throw invalid(text.length, `${text.length} characters cannot be ${title}`);
  }
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let at = 0;
  let word = 0;
  let bits = 0;
  for (let index = 0; index < length; index++) {
    const value = values[text.charCodeAt(index)] ?? 255;
    if (value === 255) throw invalid(index, `character ${index} is not in the alphabet of ${title}`);
    word = ((word << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = word >> bits;
    }
  }
  if ((word & ((1 << bits) - 1)) !== 0)
    throw invalid(length - 1, 'the last character holds bits that no byte has');
  return bytes;
}

function invalid(offset: number, what: string): EncodingError {
  return new EncodingError('invalid-base64', offset, `The text cannot be decoded: ${what}.`);
}
