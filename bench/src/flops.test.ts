import { flopsOfExample } from '@starling/model';
import { describe, expect, it } from 'vitest';
import { flopsOfStep } from './flops.ts';
import { workloads, zooModel } from './workloads.ts';

describe('flopsOfExample', () => {
  // Multiplications of one pass, and those of the layer whose input needs no gradient, from the shapes by hand.
  const counts: Record<string, [number, number]> = {
    W1: [561 * 100 + 100 * 6, 561 * 100],
    W2: [124 * 45 * 32 + 58 * 160 * 64 + 1856 * 100 + 100 * 6, 124 * 45 * 32],
    W3: [784 * 25 * 32 + 196 * 800 * 64 + 3136 * 2048 + 2048 * 62, 784 * 25 * 32],
    W4: [80 * (8 + 256) * 1024 + 80 * 512 * 1024 + 256 * 80, 0],
    W5: [64 * (2 * (12 * 64 * 64 + 2 * 64 * 64) + 64 * 64), 0],
    W6: [784 * 9 * 32 + (196 + 49 + 9) * 9 * 32 * 32 + 32 * 5, 784 * 9 * 32],
  };

  it.each(workloads)('counts the products of $id', ({ id, zoo }) => {
    const [all, first] = counts[id]!;
    expect(flopsOfExample(zooModel(zoo))).toBe(6 * all - 2 * first);
  });

  it('counts the support of second order three times', () => {
    const [w1, , , , , w6] = workloads;
    expect(flopsOfStep(zooModel('har-mlp'), w1!)).toBe(10 * flopsOfExample(zooModel('har-mlp')));
    expect(flopsOfStep(zooModel('conv4'), w6!)).toBe((25 + 3 * 5) * flopsOfExample(zooModel('conv4')));
  });
});
