import { EncodingError } from './encoding-error.ts';

/**
 * UTF-8 (RFC 3629), strict both ways: nothing is replaced by U+FFFD, so two different inputs never become one.
 * Own code, because the pure rooms run in engines without TextDecoder (Hermes).
 */

/** Whether every surrogate of a text is half of a pair (with the `u` flag only the others match). */
export function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDFFF]/u.test(text);
}

/** Code units that fit one call of `String.fromCharCode` without exhausting any engine's stack. */
const unitsPerCall = 8192;

/** Encodes text. Throws {@link EncodingError} `lone-surrogate` where the text is not well-formed UTF-16. */
export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(encodedLength(text));
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    let point = text.charCodeAt(index);
    if (point < 0x80) {
      bytes[at++] = point;
      continue;
    }
    if (point < 0x800) {
      bytes[at++] = 0xc0 | (point >> 6);
    } else {
      if (isSurrogate(point)) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (text.charCodeAt(++index) & 0x3ff);
        bytes[at++] = 0xf0 | (point >> 18);
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (point >> 12);
      }
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
    }
    bytes[at++] = 0x80 | (point & 0x3f);
  }
  return bytes;
}

/**
 * Decodes text; a byte order mark is kept. Throws {@link EncodingError} `invalid-utf8` on truncated or overlong
 * sequences, surrogates, and anything above U+10FFFF (the table of RFC 3629, section 4).
 */
export function utf8Decode(bytes: Uint8Array): string {
  const units = new Uint16Array(Math.min(unitsPerCall, bytes.length));
  let text = '';
  let filled = 0;
  let at = 0;
  while (at < bytes.length) {
    if (filled + 2 > units.length && filled > 0) {
      text += String.fromCharCode.apply(null, units.subarray(0, filled) as unknown as number[]); // array-like
      filled = 0;
    }
    const lead = bytes[at]!;
    if (lead < 0x80) {
      units[filled++] = lead;
      at += 1;
      continue;
    }
    const length = sequenceLength(bytes, at);
    let point = lead & (0x7f >> length);
    for (let next = at + 1; next < at + length; next++) point = (point << 6) | (bytes[next]! & 0x3f);
    if (point < 0x10000) {
      units[filled++] = point;
    } else {
      units[filled++] = 0xd800 + ((point - 0x10000) >> 10);
      units[filled++] = 0xdc00 + (point & 0x3ff);
    }
    at += length;
  }
  return text + String.fromCharCode.apply(null, units.subarray(0, filled) as unknown as number[]); // array-like
}

function encodedLength(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (!isSurrogate(unit)) length += 3;
    else {
      const low = text.charCodeAt(index + 1); // NaN past the end
      if (unit >= 0xdc00 || !(low >= 0xdc00 && low <= 0xdfff)) {
        throw new EncodingError(
          'lone-surrogate',
          index,
          `The text has half a surrogate pair at index ${index}; only well-formed text can be UTF-8.`,
        );
      }
      length += 4;
      index += 1;
    }
  }
  return length;
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800;
}

/** Length of the sequence that starts at a byte >= 0x80, once all of it has been checked. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) throw invalid(at);
  // Only the first continuation byte has a narrower range: it excludes overlong forms, surrogates, > U+10FFFF.
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1]!;
  if (second < least || second > most) throw invalid(at);
  for (let next = at + 2; next < at + length; next++) {
    if ((bytes[next]! & 0xc0) !== 0x80) throw invalid(at);
  }
  return length;
}

function invalid(at: number): EncodingError {
  return new EncodingError(
    'invalid-utf8',
    at,
    `The bytes are not UTF-8: no valid sequence starts at byte ${at}.`,
  );
}
