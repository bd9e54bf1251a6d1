import { describe, expect, it } from 'vitest';
import type { Shape } from '../ir/schema.ts';
import { at, bound, compute, expectEach, rows } from './testing/lowered.ts';

const x = rows('x', 2, 3, 4, 5);

describe('places', () => {
  it('flatten and reshape keep the order', () => {
    expectEach(compute('flatten', {}, [x]), (n, i) => x.values[n * 60 + i]);
    expectEach(compute('reshape', { shape: [6, 10] }, [x]), (n, i, j) => x.values[n * 60 + i * 10 + j]);
  });

  it('reshape may leave one value an example', () => {
    expect(compute('reshape', { shape: [] }, [rows('one', 4, 1)]).shape).toEqual([4]);
  });

  it('transpose moves axes behind the batch', () => {
    const found = compute('transpose', { axes: [3, 1, 2] }, [x]);
    expect(found.shape).toEqual([2, 5, 3, 4]);
    expectEach(found, (n, c, i, j) => at(x, n, i, j, c));
  });

  it('slice takes a part of one axis', () => {
    const found = compute('slice', { axis: 2, start: 1, end: 3 }, [x]);
    expectEach(found, (n, i, j, c) => at(x, n, i, j + 1, c));
  });

  it('concat puts values behind each other', () => {
    const [y, z] = [rows('y', 2, 3, 1, 5), rows('z', 2, 3, 2, 5)];
    const found = compute('concat', { axis: 2 }, [x, y, z]);
    expect(found.shape).toEqual([2, 3, 7, 5]);
    expectEach(found, (n, i, j, c) =>
      j < 4 ? at(x, n, i, j, c) : j < 5 ? at(y, n, i, 0, c) : at(z, n, i, j - 5, c),
    );
  });

  const shape: Shape = ['B', 3, 4, 5];
  const cases: [string, object, Shape[], RegExp][] = [
    ['reshape', { shape: [7] }, [shape], /has 60 values an example, "shape" \[7\] 7/],
    ['reshape', { shape: [2] }, [[2]], /expected a batch/],
    ['transpose', { axes: [1, 2] }, [shape], /expected each of the axes 1 to 3/],
    ['transpose', { axes: [1, 2, 2] }, [shape], /expected each of the axes 1 to 3/],
    ['slice', { axis: 4, start: 0, end: 1 }, [shape], /has no axis 4/],
    ['slice', { axis: 1, start: 0, end: 4 }, [shape], /has 3 entries; "end" is 4/],
    ['concat', { axis: 1 }, [shape, ['B', 3, 4, 6]], /differ in another axis than 1/],
    ['concat', { axis: 1 }, [shape, ['B', 3, 4]], /differ in another axis than 1/],
  ];
  it.each(cases)('%s %o refuses %j', (op, attributes, shapes, message) => {
    expect(() => bound(op, attributes).infer(shapes)).toThrow(message);
  });

  it('refuses the batch as an axis, and an empty slice', () => {
    expect(() => bound('slice', { axis: 0, start: 0, end: 1 })).toThrow(/attrs.axis: found 0/);
    expect(() => bound('slice', { axis: 1, start: 2, end: 2 })).toThrow(/attrs.end: found 2/);
  });
});
