/// <reference types="node" />
import { createCipheriv } from 'node:crypto';
import { fromBase64, fromHex, toHex, utf8Encode } from '@starling/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { chacha20Module } from './generated/chacha20.ts';
import { bestMasks, javaScriptMasks, wasmMasks, type Masks } from './index.ts';
import { chacha20Block, slowStream } from './testing/chacha20.ts';

const both: [name: string, masks: Masks][] = [
  ['javascript', javaScriptMasks()],
  ['wasm', wasmMasks()],
];

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
const signs = fc.constantFrom<1 | -1>(1, -1);
/** Anywhere, and often near the ends of blocks, groups, tiles, and of the stream. */
const starts = (words: number) =>
  fc.oneof(
    fc.nat(5000),
    fc.integer({ min: 0, max: words - 2000 }),
    fc.integer({ min: words - 2100, max: words - 2000 }),
  );

const refusal = (code: string): unknown => expect.objectContaining({ name: 'SecureError', code });

describe('the slow reference', () => {
  it('makes the block of RFC 8439, section 2.3.2', () => {
    const key = Uint8Array.from({ length: 32 }, (_, at) => at);
    const block = chacha20Block(key, 1, fromHex('000000090000004a00000000'));
    expect(block.map((word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(
      'e4e7f110 15593bd1 1fdd0f50 c47120a3 c7f4d1c7 0368c033 9aaa2204 4e6cd4c3 ' +
        '466482d2 09aa9f07 05d7c214 a2028bd9 d19c12b5 b94e16de e883d0cb 4e3c50a2',
    );
  });

  it('encrypts as RFC 8439, section 2.4.2', () => {
    const key = Uint8Array.from({ length: 32 }, (_, at) => at);
    const nonce = fromHex('000000000000004a00000000');
    const stream = [1, 2].flatMap((counter) => chacha20Block(key, counter, nonce));
    const bytes = new Uint8Array(Uint32Array.from(stream).buffer);
    const plain = utf8Encode(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    expect(toHex(plain.map((byte, at) => byte ^ bytes[at]!))).toBe(
      '6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624e65152ab' +
        '8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42874d',
    );
  });
});

describe.each(both)('%s masks', (_, masks) => {
  // RFC 8439, appendix A.1: those with a nonce of zeros.
  it.each([
    [
      '00'.repeat(32),
      0,
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
    ],
    [
      '00'.repeat(32),
      1,
      '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
    ],
    [
      `${'00'.repeat(31)}01`,
      1,
      '3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0',
    ],
    [
      `00ff${'00'.repeat(30)}`,
      2,
      '72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096',
    ],
  ])('are the stream of RFC 8439, appendix A.1: key %s, block %i', (key, block, expected) => {
    const words = new Uint32Array(16);
    masks.add32(fromHex(key), words, 16 * block, 1);
    expect(toHex(new Uint8Array(words.buffer))).toBe(expected);
    const halves = new Uint16Array(32);
    masks.add16(fromHex(key), halves, 32 * block, 1);
    expect(toHex(new Uint8Array(halves.buffer))).toBe(expected);
  });

  it('are the slow reference over 2^16 words, in words of 32 and of 16 bits', () => {
    const key = Uint8Array.from({ length: 32 }, (_, at) => 7 * at + 3);
    const expected = slowStream(key, 0, 2 ** 16);
    const words = new Uint32Array(2 ** 16);
    masks.add32(key, words, 0, 1);
    expect(isSame(words, expected)).toBe(true);
    const halves = new Uint16Array(2 ** 17);
    masks.add16(key, halves, 0, 1);
    expect(isSame(halves, new Uint16Array(expected.buffer))).toBe(true);
  });

  it('are the ChaCha20 of OpenSSL over 2^20 words', () => {
    const key = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);
    const words = new Uint32Array(2 ** 20);
    masks.add32(key, words, 0, 1);
    expect(isSame(words, openSslStream(key, 0, 2 ** 20))).toBe(true);
    masks.add32(key, words, 0, -1);
    expect(words.every((word) => word === 0)).toBe(true);
  });

  it('add any range of 32-bit words, and take it off', () => {
    fc.assert(
      fc.property(keys, starts(2 ** 36), fc.nat(2000), fc.nat(), signs, (key, from, many, fill, sign) => {
        const before = Uint32Array.from({ length: many }, (_, at) => Math.imul(fill + at, 0x9e3779b1));
        const stream = slowStream(key, from, many);
        const target = before.slice();
        masks.add32(key, target, from, sign);
        const expected = before.map((word, at) => word + sign * stream[at]!);
        expect(isSame(target, expected)).toBe(true);
        masks.add32(key, target, from, sign === 1 ? -1 : 1);
        expect(isSame(target, before)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('add any range of 16-bit words, from odd coordinates too, and take it off without borrowing', () => {
    fc.assert(
      fc.property(keys, starts(2 ** 37), fc.nat(2000), fc.nat(), signs, (key, from, many, fill, sign) => {
        const before = Uint16Array.from({ length: many }, (_, at) => Math.imul(fill + at, 0x9e3779b1) >>> 16);
        const even = from - (from % 2);
        const words = slowStream(key, even / 2, Math.ceil((many + 1) / 2));
        const stream = [...words].flatMap((word) => [word & 0xffff, word >>> 16]).slice(from - even);
        const target = before.slice();
        masks.add16(key, target, from, sign);
        const expected = before.map((word, at) => word + sign * stream[at]!);
        expect(isSame(target, expected)).toBe(true);
        masks.add16(key, target, from, sign === 1 ? -1 : 1);
        expect(isSame(target, before)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('are the same whole and in parts', () => {
    const key = new Uint8Array(32).fill(9);
    const [whole, parts] = [new Uint32Array(20_000), new Uint32Array(20_000)];
    masks.add32(key, whole, 11, 1);
    for (const [start, end] of [
      [0, 1],
      [1, 4101],
      [4101, 4101],
      [4101, 12_345],
      [12_345, 20_000],
    ] as const)
      masks.add32(key, parts.subarray(start, end), 11 + start, 1);
    expect(isSame(parts, whole)).toBe(true);
    const [wholeHalves, partHalves] = [new Uint16Array(20_001), new Uint16Array(20_001)];
    masks.add16(key, wholeHalves, 3, -1);
    for (const [start, end] of [
      [0, 2],
      [2, 8195],
      [8195, 20_001],
    ] as const)
      masks.add16(key, partHalves.subarray(start, end), 3 + start, -1);
    expect(isSame(partHalves, wholeHalves)).toBe(true);
  });

  it('touch nothing beside their target', () => {
    const words = new Uint32Array(300).fill(0xabcdef01);
    masks.add32(new Uint8Array(32), words.subarray(3, 290), 5, 1);
    expect([...words.subarray(0, 3), ...words.subarray(290)].every((word) => word === 0xabcdef01)).toBe(true);
    const halves = new Uint16Array(300).fill(0xabcd);
    masks.add16(new Uint8Array(32), halves.subarray(3, 290), 5, 1);
    expect([...halves.subarray(0, 3), ...halves.subarray(290)].every((half) => half === 0xabcd)).toBe(true);
  });

  it('reach the last word of the stream and no further', () => {
    const key = new Uint8Array(32).fill(1);
    const last = new Uint32Array(1);
    masks.add32(key, last, 2 ** 36 - 1, 1);
    expect([...last]).toEqual([...slowStream(key, 2 ** 36 - 1, 1)]);
    const lastHalf = new Uint16Array(1);
    masks.add16(key, lastHalf, 2 ** 37 - 1, 1);
    expect([...lastHalf]).toEqual([...new Uint16Array(slowStream(key, 2 ** 36 - 1, 1).buffer).subarray(1)]);
    for (const from of [-1, 0.5, Number.NaN, 2 ** 36 - 1, Number.POSITIVE_INFINITY])
      expect(() => {
        masks.add32(key, new Uint32Array(2), from, 1);
      }).toThrow(refusal('out-of-range'));
    for (const from of [-1, 0.5, 2 ** 37 - 1])
      expect(() => {
        masks.add16(key, new Uint16Array(2), from, 1);
      }).toThrow(refusal('out-of-range'));
  });

  it('refuse a key of another length', () => {
    for (const length of [0, 31, 33])
      expect(() => {
        masks.add32(new Uint8Array(length), new Uint32Array(1), 0, 1);
      }).toThrow(refusal('wrong-length'));
  });

  it('take a key from any place of a buffer, and leave it as it was', () => {
    const key = Uint8Array.from({ length: 32 }, (_, at) => at + 1);
    const around = new Uint8Array(40);
    around.set(key, 5);
    const [one, two] = [new Uint32Array(100), new Uint32Array(100)];
    masks.add32(key, one, 0, 1);
    masks.add32(around.subarray(5, 37), two, 0, 1);
    expect(two).toEqual(one);
    expect(around.subarray(5, 37)).toEqual(key);
  });
});

describe('masks', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('are made by WebAssembly where it is', () => {
    expect(bestMasks().name).toBe('wasm');
  });

  it.each([
    ['is missing', undefined],
    ['is forbidden by a content security policy', { Module: forbidden }],
  ])('are made by JavaScript where WebAssembly %s', (_, engine) => {
    vi.stubGlobal('WebAssembly', engine);
    expect(bestMasks().name).toBe('javascript');
    expect(() => wasmMasks()).toThrow(refusal('unsupported'));
  });

  it('come in a module that browsers compile on their main thread: below 4 kB', () => {
    expect(fromBase64(chacha20Module).length).toBeLessThan(4096);
  });

  it('do not share their memory', () => {
    const [one, other] = [wasmMasks(), wasmMasks()];
    const [a, b] = [new Uint32Array(5), new Uint32Array(5)];
    one.add32(new Uint8Array(32).fill(1), a, 0, 1);
    other.add32(new Uint8Array(32).fill(2), b, 0, 1);
    expect([...a]).toEqual([...slowStream(new Uint8Array(32).fill(1), 0, 5)]);
    expect([...b]).toEqual([...slowStream(new Uint8Array(32).fill(2), 0, 5)]);
  });
});

function forbidden(): never {
  throw new Error('Refused to compile WebAssembly: "script-src" allows no "wasm-unsafe-eval".');
}

/** Much faster over long vectors than `toEqual`. */
function isSame(left: Uint32Array | Uint16Array, right: Uint32Array | Uint16Array): boolean {
  return left.length === right.length && left.every((value, at) => value === right[at]);
}

function openSslStream(key: Uint8Array, block: number, many: number): Uint32Array {
  const start = new Uint8Array(16);
  new DataView(start.buffer).setUint32(0, block, true);
  const cipher = createCipheriv('chacha20', key, start);
  return new Uint32Array(new Uint8Array(cipher.update(new Uint8Array(4 * many))).buffer);
}
