import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SignedText } from './secrets.ts';

let now = 0;
const signed = new SignedText(new Uint8Array(32).fill(1), () => now);

describe('signed text', () => {
  it('is read for its purpose until its moment, and by nobody with another key', () => {
    now = 0;
    const text = signed.issue('session', 'dev_1', 1000);
    expect(signed.read('session', text)).toEqual({ text: 'dev_1', expired: false });
    expect(signed.read('challenge', text)).toBeUndefined();
    expect(new SignedText(new Uint8Array(32).fill(2), () => 0).read('session', text)).toBeUndefined();
    now = 1000;
    expect(signed.read('session', text)).toEqual({ text: 'dev_1', expired: true });
    now = 0;
  });

  it('is read from nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(signed.read('session', text)).toBeUndefined();
      }),
    );
  });

  it('is not read once a character of it is another, or one is missing', () => {
    const text = signed.issue('session', 'dev_1', 1000);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 2, unit: 'binary' }), (place, by) => {
        const changed = text.slice(0, place) + by + text.slice(place + 1);
        if (changed !== text) expect(signed.read('session', changed)).toBeUndefined();
      }),
    );
  });
});
