import { describe, expect, it } from 'vitest';
import { flowed } from './picture.ts';

describe('names below a picture', () => {
  it('stand beside each other as far as there is room, then in the next row', () => {
    expect(flowed([40, 50, 30, 100, 10], 100)).toEqual([
      { x: 0, row: 0 },
      { x: 40, row: 0 },
      { x: 0, row: 1 },
      { x: 0, row: 2 },
      { x: 0, row: 3 },
    ]);
  });

  it('have a row of their own where they are wider than it', () => {
    expect(flowed([300, 20], 100)).toEqual([
      { x: 0, row: 0 },
      { x: 0, row: 1 },
    ]);
    expect(flowed([], 100)).toEqual([]);
  });
});
