import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from './base64.ts';
import { EncodingError } from './encoding-error.ts';
import { utf8Encode } from './utf8.ts';

/** The slow twin: bits as text, six at a time (RFC 4648, section 4). */
function slowBase64(bytes: Uint8Array): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const text = (bits.match(/.{1,6}/g) ?? [])
    .map((six) => digits[Number.parseInt(six.padEnd(6, '0'), 2)])
    .join('');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

describe('base64', () => {
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('has the vectors of RFC 4648, section 10: %j', (text, expected) => {
    expect(toBase64(utf8Encode(text))).toBe(expected);
    expect(fromBase64(expected)).toEqual(utf8Encode(text));
  });

  it('is what the slow twin says, in both alphabets, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const expected = slowBase64(bytes);
        expect(toBase64(bytes)).toBe(expected);
        expect(fromBase64(expected)).toEqual(bytes);
        const url = expected.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        expect(toBase64Url(bytes)).toBe(url);
        expect(fromBase64Url(url)).toEqual(bytes);
      }),
    );
  });

  it('reads one text only for each sequence of bytes', () => {
    const text = fc.string({
      unit: fc.constantFrom('A', 'B', 'g', 'w', '-', '_', '+', '/', '=', '\u0100', ' ', '9'),
      maxLength: 8,
    });
    const codecs = [
      [toBase64, fromBase64],
      [toBase64Url, fromBase64Url],
    ] as const;
    fc.assert(
      fc.property(text, fc.constantFrom(...codecs), (candidate, [to, from]) => {
        let bytes: Uint8Array;
        try {
          bytes = from(candidate);
        } catch (error) {
          expect(error).toBeInstanceOf(EncodingError);
          return;
        }
        expect(to(bytes)).toBe(candidate);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['Zg', 'Zg=', 'Zg===', 'Zh==', 'Zm9=', 'Z', '=', 'Zm9v=', 'Zm9v====', 'Zm-v', 'Zm\n9v'])(
    'refuses %j',
    (text) => {
      expect(() => fromBase64(text)).toThrow(expect.objectContaining({ code: 'invalid-base64' }));
    },
  );

  it.each(['Zg==', 'Zh', 'Z', 'Zm+v', 'Zm/v', ' Zg'])('refuses %j as base64url', (text) => {
    expect(() => fromBase64Url(text)).toThrow(expect.objectContaining({ code: 'invalid-base64' }));
  });
});
