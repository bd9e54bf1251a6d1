/** Bytes and text, without TextEncoder, Buffer or atob: the same on every host. */

/** Text that does not decode. */
export class BytesError extends Error {
  override readonly name = 'BytesError';
  readonly code = 'bytes-malformed';
}

/** UTF-8 bytes of a string. Throws {@link BytesError} on a lone surrogate. */
export function utf8Encode(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 3);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const point = text.codePointAt(index)!;
    if (point < 0x80) {
      out[length++] = point;
    } else if (point < 0x800) {
      out[length++] = 0xc0 | (point >> 6);
      out[length++] = 0x80 | (point & 63);
    } else if (point < 0x10000) {
      if (point >= 0xd800 && point < 0xe000) throw new BytesError(`Lone surrogate at character ${index}.`);
      out[length++] = 0xe0 | (point >> 12);
      out[length++] = 0x80 | ((point >> 6) & 63);
      out[length++] = 0x80 | (point & 63);
    } else {
      index++;
      out[length++] = 0xf0 | (point >> 18);
      out[length++] = 0x80 | ((point >> 12) & 63);
      out[length++] = 0x80 | ((point >> 6) & 63);
      out[length++] = 0x80 | (point & 63);
    }
  }
  return out.slice(0, length);
}

/** The string of UTF-8 bytes (RFC 3629). Throws {@link BytesError} on anything that is not well-formed. */
export function utf8Decode(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let points: number[] = [];
  for (let index = 0; index < bytes.length;) {
    const lead = bytes[index]!;
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0;
    if (length === 0 || index + length > bytes.length) throw new BytesError(`Not UTF-8 at byte ${index}.`);
    let point = length === 1 ? lead : lead & (0xff >> (length + 1));
    for (let next = 1; next < length; next++) {
      const byte = bytes[index + next]!;
      if ((byte & 0xc0) !== 0x80) throw new BytesError(`Not UTF-8 at byte ${index + next}.`);
      point = (point << 6) | (byte & 63);
    }
    const least = [0, 0, 0x80, 0x800, 0x10000][length]!;
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      throw new BytesError(`Not UTF-8 at byte ${index}.`);
    }
    points.push(point);
    index += length;
    if (points.length === 4096) {
      pieces.push(String.fromCodePoint(...points));
      points = [];
    }
  }
  return pieces.join('') + String.fromCodePoint(...points);
}

const base64Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  let out = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index;
    const triple =
      (bytes[index]! << 16) | ((left > 1 ? bytes[index + 1]! : 0) << 8) | (left > 2 ? bytes[index + 2]! : 0);
    out += base64Digits[triple >> 18]! + base64Digits[(triple >> 12) & 63]!;
    out += left > 1 ? base64Digits[(triple >> 6) & 63]! : '=';
    out += left > 2 ? base64Digits[triple & 63]! : '=';
  }
  return out;
}

/** Reads base64 with padding; throws {@link BytesError} on anything else, also on stray bits in the last digit. */
export function fromBase64(text: string): Uint8Array {
  const digits = text.replace(/={1,2}$/, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) {
    throw new BytesError('Not base64.');
  }
  const out = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const digit of digits) {
    bits = (bits << 6) | base64Digits.indexOf(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[length++] = (bits >> held) & 0xff;
      bits &= (1 << held) - 1;
    }
  }
  if (bits !== 0) throw new BytesError('Not canonical base64.');
  return out;
}

/** Base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export function fromBase64Url(text: string): Uint8Array {
  if (/[+/=]/.test(text)) throw new BytesError('Not base64url.');
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  return fromBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, '='));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
