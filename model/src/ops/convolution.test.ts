import { describe, expect, it } from 'vitest';
import { at, bound, compute, expectEach, rows, sum, weights, type Tensor } from './testing/lowered.ts';

/** Zero outside the image. */
function pixel(x: Tensor, n: number, row: number, column: number, channel: number): number {
  const [, height, width] = x.shape;
  if (row < 0 || row >= height || column < 0 || column >= width) return 0;
  return at(x, n, row, column, channel);
}

describe('conv1d', () => {
  it('slides over padded time', () => {
    const [x, w, b] = [rows('x', 2, 7, 3), weights('w', 3, 3, 4), weights('b', 4)];
    const found = compute('conv1d', { stride: 2, pads: [2, 1] }, [x, w, b]);
    expect(found.shape).toEqual([2, 4, 4]);
    expectEach(found, (n, t, f) => {
      const time = (k: number) => 2 * t + k - 2;
      const inside = (k: number) => time(k) >= 0 && time(k) < 7;
      return at(b, f) + sum(3, (k) => (inside(k) ? sum(3, (c) => at(x, n, time(k), c) * at(w, k, c, f)) : 0));
    });
  });
});

describe('conv2d', () => {
  const [x, w, b] = [rows('x', 2, 5, 6, 2), weights('w', 3, 2, 2, 3), weights('b', 3)];

  it('slides over the plane with pads top, bottom, left, right', () => {
    const found = compute('conv2d', { strides: [2, 1], pads: [1, 0, 2, 1] }, [x, w, b]);
    expect(found.shape).toEqual([2, 2, 8, 3]);
    expectEach(
      found,
      (n, row, column, f) =>
        at(b, f) +
        sum(3, (i) =>
          sum(2, (j) => sum(2, (c) => pixel(x, n, 2 * row + i - 1, column + j - 2, c) * at(w, i, j, c, f))),
        ),
    );
  });

  it('needs no bias, no strides and no pads', () => {
    const found = compute('conv2d', {}, [x, w]);
    expectEach(found, (n, row, column, f) =>
      sum(3, (i) => sum(2, (j) => sum(2, (c) => at(x, n, row + i, column + j, c) * at(w, i, j, c, f)))),
    );
  });

  it.each([
    ['other channels', [5, 6, 3], [3, 3, 2, 4], /third axis of w \[3, 3, 2, 4\] is 2; expected 3/],
    ['a filter that is too large', [5, 6, 3], [3, 7, 3, 4], /longer than the padded x \[B, 5, 6, 3\]/],
    ['no image', [6, 3], [3, 3, 3, 4], /x has shape \[B, 6, 3\]; expected a batch with 3 more axes/],
  ])('refuses %s', (_, image, filter, message) => {
    expect(() => bound('conv2d').infer([['B', ...image], filter])).toThrow(message);
  });
});

describe('depthwiseConv2d', () => {
  it('gives each channel a filter of its own', () => {
    const [x, w, b] = [rows('x', 2, 4, 5, 3), weights('w', 2, 3, 3), weights('b', 3)];
    const found = compute('depthwiseConv2d', { strides: [1, 2], pads: [0, 1, 1, 1] }, [x, w, b]);
    expect(found.shape).toEqual([2, 4, 3, 3]);
    expectEach(
      found,
      (n, row, column, c) =>
        at(b, c) + sum(2, (i) => sum(3, (j) => pixel(x, n, row + i, 2 * column + j - 1, c) * at(w, i, j, c))),
    );
  });

  it('refuses another number of channels', () => {
    expect(() =>
      bound('depthwiseConv2d').infer([
        ['B', 4, 5, 3],
        [2, 2, 1],
      ]),
    ).toThrow(/third axis of w \[2, 2, 1\] is 1; expected 3/);
  });
});
