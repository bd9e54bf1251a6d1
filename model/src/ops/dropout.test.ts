import { describe, expect, it } from 'vitest';
import { Graph } from '../graph/graph.ts';
import { evaluate } from '../testing/reference.ts';
import { bound, evaluation } from './testing/lowered.ts';

describe('dropout', () => {
  it('is nothing in evaluation, and at a rate of 0', () => {
    const graph = new Graph();
    const x = graph.leaf('x', [2, 3]);
    expect(bound('dropout', { rate: 0.5 }).lower(graph, [x], evaluation)).toBe(x);
    const none = bound('dropout', { rate: 0 });
    expect(none.lower(graph, [x], { ...evaluation, training: true })).toBe(x);
    expect([none.random, bound('dropout', { rate: 0.1 }).random]).toEqual([false, true]);
  });

  it('multiplies by a mask of its own rate in training', () => {
    const graph = new Graph();
    const x = graph.leaf('x', [2, 2]);
    const asked: unknown[] = [];
    const mask = graph.leaf('mask', [2, 2]);
    const y = bound('dropout', { rate: 0.75 }).lower(graph, [x], {
      training: true,
      mask(shape, rate) {
        asked.push([...shape], rate);
        return mask;
      },
    });
    expect(asked).toEqual([[2, 2], 0.75]);
    const given = new Map([
      [x, [1, 2, 3, 4]],
      [mask, [0, 4, 4, 0]],
    ]);
    expect([...evaluate([y], given)[0]]).toEqual([0, 8, 12, 0]);
  });

  it.each([1, -0.1])('refuses the rate %d', (rate) => {
    expect(() => bound('dropout', { rate })).toThrow(/attrs.rate: .*from 0 to below 1/);
  });
});
