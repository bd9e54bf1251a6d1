import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, CanonicalJsonError, digestJson } from './canonical-json.ts';
import { sha256 } from './digest.ts';
import { utf8Encode } from './utf8.ts';

/** A double from its 64 bits in hexadecimal, as RFC 8785, Appendix B writes them. */
function double(bits: string): number {
  return new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)[0]!;
}

describe('canonical JSON', () => {
  it('writes the primitives of RFC 8785, section 3.2.2', () => {
    const text = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(text))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts the members of RFC 8785, section 3.2.3', () => {
    const text = String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`;
    const values = canonicalJson(JSON.parse(text)).match(/(?<=:")[^"]+/g);
    expect(values).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s of RFC 8785, Appendix B as %s', (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text);
  });

  it('does not depend on the order of members, and parses back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });

  it.each<[string, unknown, string, string]>([
    ['NaN', { a: [1, Number.NaN] }, 'number-not-finite', '/a/1'],
    ['infinity', [Number.NEGATIVE_INFINITY], 'number-not-finite', '/0'],
    ['undefined', { a: undefined }, 'not-json', '/a'],
    ['a hole', new Array(1), 'not-json', '/0'],
    ['a function', { 'a/b~c': canonicalJson }, 'not-json', '/a~1b~0c'],
    ['a bigint', 1n, 'not-json', ''],
    ['a symbol', [[Symbol.iterator]], 'not-json', '/0/0'],
    ['a map', { a: { b: new Map() } }, 'not-json', '/a/b'],
    ['a typed array', [new Float32Array(1)], 'not-json', '/0'],
    ['a lone surrogate', { a: 'x\ud800' }, 'lone-surrogate', '/a'],
    ['a lone surrogate in a name', { a: { '\udc00': 1 } }, 'lone-surrogate', '/a/\udc00'],
  ])('refuses %s with its path', (_, value, code, path) => {
    expect(() => canonicalJson(value)).toThrow(CanonicalJsonError);
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code, path }));
  });

  it('refuses a cycle, but not the same value twice', () => {
    const shared = { x: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"x":1},{"x":1}]');
    const ring: { next: unknown[] } = { next: [] };
    ring.next.push(ring);
    expect(() => canonicalJson(ring)).toThrow(expect.objectContaining({ code: 'cycle', path: '/next/0' }));
  });

  it('refuses bottomless nesting instead of exhausting the stack', () => {
    const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    expect(canonicalJson(nested(500))).toHaveLength(1000);
    expect(() => canonicalJson(nested(501))).toThrow(expect.objectContaining({ code: 'too-deep' }));
    expect(() => canonicalJson(nested(100_000))).toThrow(expect.objectContaining({ code: 'too-deep' }));
  });

  it('is digested as UTF-8', () => {
    expect(digestJson({ é: 1 })).toBe(sha256(utf8Encode('{"é":1}')));
  });
});

/** The same value with the members of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
