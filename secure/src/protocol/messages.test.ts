import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packBits, unpackBits } from './bytes.ts';
import { applyMasks, splitRange } from './masking.ts';
import * as messages from './messages.ts';
import { Refusal, refusalCodes } from './refusal.ts';
import { decodeTerms, encodeTerms, type GroupTerms } from './terms.ts';
import { addStaged, addWords, newVector, wordsToBytes } from './words.ts';
import { javaScriptMasks } from '../masks/index.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const index = fc.integer({ min: 0, max: 65_535 });
const context = new Uint8Array(32).fill(0xc0);
const entry = fc.record({
  identity: bytes(32),
  maskKey: bytes(32),
  shareKey: bytes(32),
  commitment: bytes(32),
  signature: bytes(64),
});
const ascending = <T extends object>(part: fc.Arbitrary<T>, name: 'from' | 'owner') =>
  fc
    .uniqueArray(index, { maxLength: 5 })
    .chain((list) =>
      fc.tuple(...list.sort((a, b) => a - b).map((at) => part.map((rest) => ({ [name]: at, ...rest })))),
    );

/** What can be said, how it is written and how it is read. */
const codecs = {
  keys: [entry, messages.encodeKeys, messages.decodeKeys],
  roster: [fc.array(entry, { maxLength: 4 }), messages.encodeRoster, messages.decodeRoster],
  nonces: [fc.array(bytes(32), { maxLength: 4 }), messages.encodeNonces, messages.decodeNonces],
  shares: [
    fc.record({ from: index, selfCommitment: bytes(32), boxes: fc.array(bytes(80), { maxLength: 4 }) }),
    messages.encodeShares,
    messages.decodeShares,
  ],
  inbox: [
    fc.record({ to: index, boxes: ascending(fc.record({ box: bytes(80) }), 'from') }),
    messages.encodeInbox,
    messages.decodeInbox,
  ],
  upload: [
    fc.record({
      from: index,
      ring: fc.constantFrom(16, 32),
      length: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      digest: bytes(32),
    }),
    messages.encodeUpload,
    messages.decodeUpload,
  ],
  survivors: [fc.array(fc.boolean(), { maxLength: 40 }), messages.encodeSurvivors, messages.decodeSurvivors],
  signature: [
    fc.record({ from: index, signature: bytes(64) }),
    messages.encodeSignature,
    messages.decodeSignature,
  ],
  signatures: [
    ascending(fc.record({ signature: bytes(64) }), 'from'),
    messages.encodeSignatures,
    messages.decodeSignatures,
  ],
  unmask: [
    fc.record({
      from: index,
      shares: ascending(fc.record({ kind: fc.constantFrom(1, 2), share: bytes(32) }), 'owner'),
    }),
    messages.encodeUnmask,
    messages.decodeUnmask,
  ],
  end: [fc.constantFrom(...messages.outcomes), messages.encodeEnd, messages.decodeEnd],
} as const;

type Codec = [
  fc.Arbitrary<unknown>,
  (context: Uint8Array, value: unknown) => Uint8Array,
  (bytes: Uint8Array, context: Uint8Array) => unknown,
];

describe.each(Object.entries(codecs) as unknown as [messages.MessageKind, Codec][])(
  'a message "%s"', // the types of the three belong together
  (kind, [values, encode, decode]) => {
    it('is read as it was written', () => {
      fc.assert(
        fc.property(values, (value) => {
          const written = encode(context, value);
          expect(messages.kindOf(written)).toBe(kind);
          expect(decode(written, context)).toEqual(value);
        }),
        { numRuns: 50 },
      );
    });

    it('is refused with a byte too many or too few, and for another group', () => {
      fc.assert(
        fc.property(values, (value) => {
          const written = encode(context, value);
          expect(codeOf(() => decode(Uint8Array.of(...written, 0), context))).toBe('malformed');
          expect(codeOf(() => decode(written.subarray(0, -1), context))).toBe('malformed');
          expect(codeOf(() => decode(written, new Uint8Array(32)))).toBe('wrong-group');
        }),
        { numRuns: 20 },
      );
    });

    it('has one encoding: whatever is read is written back the same', () => {
      fc.assert(
        fc.property(values, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, byte) => {
          const changed = encode(context, value);
          changed[at % changed.length] = byte;
          try {
            expect(encode(context, decode(changed, context))).toEqual(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(Refusal);
          }
        }),
        { numRuns: 200 },
      );
    });
  },
);

function codeOf(attempt: () => unknown): string {
  try {
    attempt();
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('any bytes', () => {
  it('are refused by every decoder, or are what it encodes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 14 }), (tail, type) => {
        const any = Uint8Array.of(1, type, ...context, ...tail);
        for (const [, encode, decode] of Object.values(codecs) as unknown as Codec[]) {
          try {
            expect(encode(context, decode(any, context))).toEqual(any);
          } catch (error) {
            expect(error).toBeInstanceOf(Refusal);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of the terms are read as they were written, or refused', () => {
    const terms: GroupTerms = {
      ...{ task: 'tsk_ä', round: 'r', group: 'g'.repeat(255) },
      taskDigest: new Uint8Array(32).fill(1),
      modelDigest: new Uint8Array(32).fill(2),
      ...{ ring: 16, length: 2 ** 32 - 1, minimum: 65_535 },
      ...{ corruptPermille: 999, dropOutPermille: 0, privacyBits: 255, correctnessBits: 1 },
    };
    const written = encodeTerms(terms);
    expect(decodeTerms(written)).toEqual(terms);
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = written.slice();
        changed[at % changed.length] = byte;
        try {
          expect(encodeTerms(decodeTerms(changed))).toEqual(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
    );
    expect(() => encodeTerms({ ...terms, group: '' })).toThrow(RangeError);
    expect(() => encodeTerms({ ...terms, group: 'g'.repeat(256) })).toThrow(RangeError);
  });
});

describe('a set of members', () => {
  it('is one bit each, lowest first, and zeros behind the last', () => {
    expect([...packBits([true, false, true, false, false, false, false, true, true])]).toEqual([0x85, 1]);
    expect(unpackBits(Uint8Array.of(0x85, 1), 9)).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(codeOf(() => unpackBits(Uint8Array.of(0x85, 3), 9))).toBe('malformed');
    expect(codeOf(() => unpackBits(Uint8Array.of(0x85), 9))).toBe('malformed');
  });
});

describe('words', () => {
  it('travel little-endian, and wrap', () => {
    expect([...wordsToBytes(Uint32Array.of(0x01020304, 5))]).toEqual([4, 3, 2, 1, 5, 0, 0, 0]);
    expect([...wordsToBytes(Uint16Array.of(0x0102, 5))]).toEqual([2, 1, 5, 0]);
    const sum = Uint16Array.of(0xffff, 1);
    addWords(sum, Uint8Array.of(2, 0, 3, 0));
    expect([...sum]).toEqual([1, 4]);
    expect(() => {
      addWords(sum, new Uint8Array(3));
    }).toThrow(RangeError);
  });

  it.each([
    [16, [0, 1, 2, 3, 997, 1, 1]],
    [32, [1, 1, 1, 1, 4, 7, 0, 1001, 2]],
  ] as const)('are added the same from chunks that end in their midst (%i bits)', async (ring, sizes) => {
    const bytes = Uint8Array.from(
      { length: sizes.reduce((sum: number, size) => sum + size, 0) + 3 },
      (_, at) => 31 * at + 7,
    ).subarray(3);
    const chunks = function* () {
      let at = 0;
      for (const size of sizes) yield bytes.subarray(at, (at += size));
    };
    const length = Math.floor((8 * bytes.length) / ring);
    const [whole, staged] = [newVector(ring, length).fill(-9), newVector(ring, length).fill(-9)];
    const isWhole = (8 * bytes.length) % ring === 0;
    addWords(whole, bytes.subarray(0, whole.byteLength));
    expect(await addStaged(staged, { read: chunks })).toBe(isWhole);
    expect(staged).toEqual(whole);
    expect(await addStaged(newVector(ring, length + 1), { read: chunks })).toBe(false);
    expect(await addStaged(newVector(ring, length - 1), { read: chunks })).toBe(false);
  });

  it.each([16, 32] as const)('are masked the same in one go and in ranges (%i bits)', (ring) => {
    const terms = [
      { key: new Uint8Array(32).fill(1), sign: 1 },
      { key: new Uint8Array(32).fill(2), sign: -1 },
    ] as const;
    const masks = javaScriptMasks();
    const whole = newVector(ring, 20_000);
    applyMasks(masks, terms, whole);
    const parts = newVector(ring, 20_000);
    const ranges = splitRange(parts.length, 3);
    expect(ranges.map(({ from }) => from % 32)).toEqual([0, 0, 0]);
    for (const { from, to } of ranges) applyMasks(masks, terms, parts.subarray(from, to), from);
    expect(parts).toEqual(whole);
    expect(splitRange(5, 4)).toEqual([{ from: 0, to: 5 }]);
    expect(ranges.at(-1)?.to).toBe(20_000);
  });
});

it('every refusal has its own code', () => {
  expect(new Set(refusalCodes).size).toBe(refusalCodes.length);
});
