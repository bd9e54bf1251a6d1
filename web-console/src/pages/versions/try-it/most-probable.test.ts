import { expect, it } from 'vitest';
import { mostProbable } from './most-probable.ts';

it('puts the greatest first, and the first of equals', () => {
  expect(mostProbable(Float32Array.of(0.1, 0.4, 0.1, 0.4), 3)).toEqual([1, 3, 0]);
  expect(mostProbable(Float32Array.of(1), 8)).toEqual([0]);
});
