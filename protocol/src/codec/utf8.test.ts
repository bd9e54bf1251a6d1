import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodingError } from './encoding-error.ts';
import { isWellFormed, utf8Decode, utf8Encode } from './utf8.ts';

/** The slow twins: what the language itself does for URIs (ECMA-262, Encode and Decode) is UTF-8. */
function slowEncode(text: string): number[] {
  const escaped = encodeURIComponent(text).match(/%..|[^%]/g) ?? [];
  return escaped.map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)));
}
function slowDecode(bytes: Uint8Array): string | undefined {
  try {
    return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  } catch {
    return undefined;
  }
}
const anyText = fc.string({ unit: 'binary', maxLength: 40 });

describe('UTF-8', () => {
  it('is what the slow twin says, and comes back', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = utf8Encode(text);
        expect([...bytes]).toEqual(slowEncode(text));
        expect(utf8Decode(bytes)).toBe(text);
      }),
    );
  });

  it('decodes exactly the bytes that the slow twin decodes', () => {
    const edited = fc.tuple(anyText, fc.nat(200), fc.nat(255)).map(([text, at, value]) => {
      const bytes = utf8Encode(text);
      if (bytes.length > 0) bytes[at % bytes.length] = value;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 6 }), edited), (bytes) => {
        const expected = slowDecode(bytes);
        if (expected === undefined) expect(() => utf8Decode(bytes)).toThrow(EncodingError);
        else expect(utf8Decode(bytes)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a stray continuation', [0x80]],
    ['an overlong slash in two bytes', [0xc0, 0xaf]],
    ['an overlong slash in three', [0xe0, 0x80, 0xaf]],
    ['an overlong slash in four', [0xf0, 0x80, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a truncated sequence', [0xe2, 0x82]],
    ['a sequence cut by ASCII', [0xe2, 0x41, 0xac]],
  ])('refuses %s, and says where', (_, bad) => {
    expect(() => utf8Decode(Uint8Array.of(0x61, ...bad))).toThrow(
      expect.objectContaining({ code: 'invalid-utf8', offset: 1 }),
    );
  });

  it.each(['a\ud800', 'a\udc00', 'a\udc00\ud800', 'a\ud800b'])('refuses a lone surrogate: %j', (text) => {
    expect(isWellFormed(text)).toBe(false);
    expect(() => utf8Encode(text)).toThrow(expect.objectContaining({ code: 'lone-surrogate', offset: 1 }));
  });

  it('keeps a byte order mark', () => {
    expect(utf8Decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });

  it('carries long text over the seams of its buffer', () => {
    for (const text of ['😀'.repeat(30_000), `a${'😀'.repeat(30_000)}`, 'é€'.repeat(20_000)]) {
      expect(utf8Decode(utf8Encode(text)) === text).toBe(true);
    }
  });
});
