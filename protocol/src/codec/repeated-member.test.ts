import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedMember } from './repeated-member.ts';

describe('repeated members', () => {
  it('are found at any depth, after escapes are read', () => {
    expect(repeatedMember('{"a":1,"b":{"a":[{"x":1},{"x":2}]}}')).toBeUndefined();
    expect(repeatedMember('{"a":1,"b":[{"x":1,"y":"x","x" : 2}]}')).toBe('x');
    expect(repeatedMember(String.raw`{"\"\\":1,"\u0022\\":2}`)).toBe('"\\');
    expect(repeatedMember('{"a":"a","b":["b","b"]}')).toBeUndefined();
    expect(repeatedMember(String.raw`{"a":"{\"a\":1,\"a\":2}"}`)).toBeUndefined();
  });

  it('are never seen in what JSON.stringify writes, and always when one is added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (value, pick) => {
        const text = JSON.stringify(value, null, pick % 3);
        expect(repeatedMember(text)).toBeUndefined();
        const keys = Object.keys(value);
        const name = keys[pick % keys.length]!;
        expect(repeatedMember(`${text.trimEnd().slice(0, -1)},${JSON.stringify(name)}:0}`)).toBe(name);
      }),
    );
  });
});
