import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from './bytes.ts';
import { DigestError, parseSha256, sha256, Sha256Hasher } from './digest.ts';
import { utf8Encode } from './utf8.ts';

describe('SHA-256', () => {
  // FIPS 180-4 example values (NIST, SHA256.pdf) and the empty message
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('of %j is the published one', (text, digest) => {
    expect(sha256(utf8Encode(text))).toBe(digest);
  });

  it('is the same in parts, and can be read on the way', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (head, tail) => {
        const hasher = new Sha256Hasher().update(head);
        expect(hasher.digest()).toBe(sha256(head));
        expect(hasher.update(tail).digest()).toBe(sha256(concatBytes(head, tail)));
      }),
    );
  });

  it('is parsed from 64 lower-case digits only', () => {
    const digest = sha256(utf8Encode('abc'));
    expect(parseSha256(digest)).toBe(digest);
    for (const text of ['', digest.toUpperCase(), digest.slice(1), `${digest}0`, `${digest}\n`]) {
      expect(() => parseSha256(text)).toThrow(DigestError);
    }
  });
});
