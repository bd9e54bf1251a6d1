import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, concatBytes, fromHex, toHex } from './bytes.ts';
import { utf8Encode } from './utf8.ts';

describe('bytes', () => {
  it('are written as lower-case hexadecimal and come back', () => {
    expect(toHex(Uint8Array.of(0, 10, 255))).toBe('000aff');
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
      }),
    );
  });

  it.each([
    ['0', 1],
    ['0A', 1],
    ['0x', 1],
    ['00 1', 2],
  ])('are not read from %j', (text, offset) => {
    expect(() => fromHex(text)).toThrow(expect.objectContaining({ code: 'invalid-hex', offset }));
  });

  it('are joined in order, in memory of their own', () => {
    const part = Uint8Array.of(1, 2);
    const joined = concatBytes(part, new Uint8Array(), Uint8Array.of(3));
    part[0] = 9;
    expect([...joined]).toEqual([1, 2, 3]);
    expect(concatBytes().length).toBe(0);
  });

  it('sort text by code points, where UTF-16 would not', () => {
    const texts = ['\u{1d4b3}', '\ufb00', 'a', '', 'ab'];
    const sorted = texts.toSorted((left, right) => compareBytes(utf8Encode(left), utf8Encode(right)));
    expect(sorted).toEqual(['', 'a', 'ab', '\ufb00', '\u{1d4b3}']);
  });
});
