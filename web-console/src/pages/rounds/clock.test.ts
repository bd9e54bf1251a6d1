import { expect, it } from 'vitest';
import { clockOf } from './clock.ts';

it('shows a span as a clock, rounded up to the second that is under way', () => {
  expect([0, 1, 7000, 61_000, 750_000, 11_100_000, 183_900_000].map(clockOf)).toEqual([
    '0:00',
    '0:01',
    '0:07',
    '1:01',
    '12:30',
    '3:05:00',
    '2 d 3:05:00',
  ]);
});
