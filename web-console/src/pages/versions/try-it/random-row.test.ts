import { expect, it } from 'vitest';
import { randomRow } from './random-row.ts';

it('draws rows around 0 with deviation 1, and ids of the vocabulary', () => {
  let state = 1;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647; // Park and Miller 1988
  const row = randomRow({ size: 20_000, vocabulary: undefined }, random);
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  const ids = randomRow({ size: 500, vocabulary: 7 }, random);
  expect([...new Set(ids)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});
