import { describe, expect, it } from 'vitest';
import { at, bound, compute, expectEach, rows, sum } from './testing/lowered.ts';

const line = rows('line', 2, 7, 3);
const image = rows('image', 2, 5, 7, 2);

function largest(length: number, f: (i: number) => number): number {
  return Math.max(...Array.from({ length }, (_, i) => f(i)));
}

describe('pooling over time', () => {
  it('takes the largest value or the mean of each window', () => {
    expectEach(compute('maxPool1d', { size: 3, stride: 2 }, [line]), (n, t, c) =>
      largest(3, (k) => at(line, n, 2 * t + k, c)),
    );
    expectEach(
      compute('avgPool1d', { size: 2 }, [line]),
      (n, t, c) => sum(2, (k) => at(line, n, 2 * t + k, c)) / 2,
    );
  });

  it('takes all of it as one window', () => {
    expectEach(compute('globalMaxPool1d', {}, [line]), (n, c) => largest(7, (t) => at(line, n, t, c)));
    expectEach(compute('globalAvgPool1d', {}, [line]), (n, c) => sum(7, (t) => at(line, n, t, c)) / 7);
  });
});

describe('pooling over the plane', () => {
  it('takes the largest value or the mean of each window', () => {
    const found = compute('maxPool2d', { size: [2, 3], strides: [1, 2] }, [image]);
    expect(found.shape).toEqual([2, 4, 3, 2]);
    expectEach(found, (n, row, column, c) =>
      largest(2, (i) => largest(3, (j) => at(image, n, row + i, 2 * column + j, c))),
    );
    const mean = compute('avgPool2d', { size: [2, 3] }, [image]);
    expect(mean.shape).toEqual([2, 2, 2, 2]);
    expectEach(
      mean,
      (n, row, column, c) => sum(2, (i) => sum(3, (j) => at(image, n, 2 * row + i, 3 * column + j, c))) / 6,
    );
  });

  it('takes all of it as one window', () => {
    expectEach(compute('globalMaxPool2d', {}, [image]), (n, c) =>
      largest(5, (i) => largest(7, (j) => at(image, n, i, j, c))),
    );
    expectEach(
      compute('globalAvgPool2d', {}, [image]),
      (n, c) => sum(5, (i) => sum(7, (j) => at(image, n, i, j, c))) / 35,
    );
  });

  it('refuses a remainder where "floor" is false, and windows beyond the image', () => {
    expect(() => bound('maxPool2d', { size: [2, 7], floor: false }).infer([['B', 5, 7, 2]])).toThrow(
      /leaves a remainder behind windows of 2, 2 apart/,
    );
    expect(() => bound('avgPool2d', { size: [2, 8] }).infer([['B', 5, 7, 2]])).toThrow(
      /shorter than the window of 8/,
    );
  });
});
