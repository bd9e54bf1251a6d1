import { describe, expect, it } from 'vitest';
import { philox4x32 } from './philox.ts';

type Counter = [number, number, number, number];

/** Known answers of the authors' library Random123 (kat_vectors, philox4x32 10). */
const known: [Counter, [number, number], Counter][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

describe('philox4x32', () => {
  it.each(known)('answers counter %j as the authors do', (counter, key, answer) => {
    const out = new Uint32Array(4);
    philox4x32(out, Uint32Array.from(counter), Uint32Array.from(key));
    expect([...out]).toEqual(answer);
  });
});
