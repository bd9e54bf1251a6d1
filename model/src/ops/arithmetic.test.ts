import { describe, expect, it } from 'vitest';
import { at, bound, compute, expectEach, rows, sum, weights } from './testing/lowered.ts';

const a = rows('a', 2, 3, 4);

describe.each([
  ['add', (p: number, q: number) => p + q],
  ['mul', (p: number, q: number) => p * q],
])('%s', (op, combine) => {
  it('takes equal shapes', () => {
    const b = rows('b', 2, 3, 4);
    expectEach(compute(op, {}, [a, b]), (n, t, c) => combine(at(a, n, t, c), at(b, n, t, c)));
  });

  it('repeats a parameter over the first axes', () => {
    const [row, plane] = [weights('row', 4), weights('plane', 3, 4)];
    expectEach(compute(op, {}, [a, row]), (n, t, c) => combine(at(a, n, t, c), at(row, c)));
    expectEach(compute(op, {}, [a, plane]), (n, t, c) => combine(at(a, n, t, c), at(plane, t, c)));
  });

  it.each([
    ['a batch that lacks axes', ['B', 4]],
    ['a parameter of the first axes', [3]],
    ['a parameter that has more', [2, 3, 4]],
  ] as const)('refuses %s', (_, b) => {
    expect(() => bound(op).infer([['B', 3, 4], b])).toThrow(/fits neither a \[B, 3, 4\] nor/);
  });
});

describe('activations', () => {
  it.each([
    ['relu', (x: number) => Math.max(x, 0)],
    ['tanh', Math.tanh],
    ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
  ])('%s', (op, f) => {
    expectEach(compute(op, {}, [a]), (n, t, c) => f(at(a, n, t, c)));
  });

  it('gelu by the normal distribution or its approximation', () => {
    expectEach(compute('gelu', { variant: 'erf' }, [a]), (...i) => at(a, ...i) * normalBelow(at(a, ...i)), 9);
    expectEach(compute('gelu', { variant: 'tanh' }, [a]), (...i) => {
      const x = at(a, ...i);
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    });
  });

  it('gelu must say which', () => {
    expect(() => bound('gelu')).toThrow(/attrs.variant: is missing; expected "erf" or "tanh"/);
  });

  it('softmax over the last axis, which is not the batch', () => {
    expectEach(
      compute('softmax', {}, [a]),
      (n, t, c) => Math.exp(at(a, n, t, c)) / sum(4, (i) => Math.exp(at(a, n, t, i))),
    );
    expect(() => bound('softmax').infer([['B']])).toThrow(/expected a batch with 1 or more axes/);
  });
});

/** The distribution function of the normal distribution, by Simpson's rule from 0. */
function normalBelow(x: number): number {
  const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  const [parts, width] = [200, x / 200];
  const weight = (i: number) => (i === 0 || i === parts ? 1 : i % 2 === 1 ? 4 : 2);
  return 0.5 + (width / 3) * sum(parts + 1, (i) => weight(i) * density(i * width));
}
