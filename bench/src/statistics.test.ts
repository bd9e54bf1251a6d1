import { expect, it } from 'vitest';
import { agree, median, minimum } from './statistics.ts';

it('takes the middle and the least in any order', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
  expect(minimum([3, 1, 2])).toBe(1);
});

it('finds losses that differ by more than a share, or in number', () => {
  expect(agree([1.00005, 2], [1, 2], 1e-4)).toBe(true);
  expect(agree([1.0002, 2], [1, 2], 1e-4)).toBe(false);
  expect(agree([1], [1, 2], 1e-4)).toBe(false);
  expect(agree([NaN], [1], 1e-4)).toBe(false);
});
