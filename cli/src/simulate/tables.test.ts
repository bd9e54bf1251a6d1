import { describe, expect, it } from 'vitest';
import { duration } from './tables.ts';

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [12_340, '12.3 s'],
    [245_000, '4 min 05 s'],
    [3_600_000, '1 h 00 min'],
    [13_200_000, '3 h 40 min'],
    [190_000_000, '2 d 05 h'],
  ])('of %i ms reads %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});
