import { describe, expect, it } from 'vitest';
import { at, bound, compute, expectEach, rows, sum, weights } from './testing/lowered.ts';

/** (x - mean) / sqrt(variance + epsilon) of one value among others. */
function normalised(value: number, others: readonly number[], epsilon: number): number {
  const mean = sum(others.length, (i) => others[i]) / others.length;
  const variance = sum(others.length, (i) => (others[i] - mean) ** 2) / others.length;
  return (value - mean) / Math.sqrt(variance + epsilon);
}

const each = (...lengths: number[]): number[][] =>
  lengths.reduce<number[][]>(
    (found, length) => found.flatMap((index) => Array.from({ length }, (_, i) => [...index, i])),
    [[]],
  );

const x = rows('x', 3, 4, 6);
const [gamma, beta] = [weights('gamma', 6), weights('beta', 6)];

describe('batchNorm', () => {
  it('normalises each channel over all rows of the pass', () => {
    expectEach(compute('batchNorm', { epsilon: 0.01 }, [x, gamma, beta]), (n, t, c) => {
      const others = each(3, 4).map(([m, s]) => at(x, m, s, c));
      return normalised(at(x, n, t, c), others, 0.01) * at(gamma, c) + at(beta, c);
    });
  });
});

describe('layerNorm', () => {
  it('normalises along the last axis, with epsilon 1e-5', () => {
    expectEach(compute('layerNorm', {}, [x, gamma, beta]), (n, t, c) => {
      const others = each(6).map(([i]) => at(x, n, t, i));
      return normalised(at(x, n, t, c), others, 1e-5) * at(gamma, c) + at(beta, c);
    });
  });
});

describe('groupNorm', () => {
  it.each([1, 2, 6])('normalises each example by %i groups of channels', (groups) => {
    const size = 6 / groups;
    expectEach(compute('groupNorm', { groups }, [x, gamma, beta]), (n, t, c) => {
      const first = Math.floor(c / size) * size;
      const others = each(4, size).map(([s, i]) => at(x, n, s, first + i));
      return normalised(at(x, n, t, c), others, 1e-5) * at(gamma, c) + at(beta, c);
    });
  });

  it('normalises rows without places', () => {
    const flat = rows('flat', 3, 6);
    expectEach(compute('groupNorm', { groups: 3 }, [flat, gamma, beta]), (n, c) => {
      const first = 2 * Math.floor(c / 2);
      const others = [at(flat, n, first), at(flat, n, first + 1)];
      return normalised(at(flat, n, c), others, 1e-5) * at(gamma, c) + at(beta, c);
    });
  });

  it('refuses groups that do not part the channels', () => {
    expect(() => bound('groupNorm', { groups: 4 }).infer([['B', 3, 6], [6], [6]])).toThrow(
      /6 channels of x \[B, 3, 6\] cannot be parted into 4 equal groups/,
    );
  });
});

describe.each(['batchNorm', 'layerNorm'])('%s', (op) => {
  it('refuses gamma and beta of another length', () => {
    expect(() => bound(op).infer([['B', 6], [5], [6]])).toThrow(/length of gamma is 5; expected 6/);
    expect(() => bound(op).infer([['B', 6], [6], [7]])).toThrow(/length of beta is 7; expected 6/);
  });

  it('refuses an epsilon of 0', () => {
    expect(() => bound(op, { epsilon: 0 })).toThrow(/attrs.epsilon: found 0; expected a number above 0/);
  });
});
