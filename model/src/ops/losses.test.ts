import { describe, expect, it } from 'vitest';
import { gradient } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { LossIr } from '../ir/schema.ts';
import { evaluate } from '../testing/reference.ts';
import { lowerLoss } from './losses.ts';
import { at, rows, sum, type Tensor } from './testing/lowered.ts';

/** The losses, and the slope of their sum with respect to the predictions. */
function run(loss: LossIr, prediction: Tensor, labels: Tensor): { losses: Value; found: Float64Array[] } {
  const graph = new Graph();
  const [y, t] = [graph.leaf('y', prediction.shape), graph.leaf('t', labels.shape)];
  const losses = lowerLoss(graph, loss, y, t);
  const total = graph.dot(losses, graph.constant(losses.shape, 1));
  const [slope] = gradient(graph, total, [y]);
  const given = new Map<Value, ArrayLike<number>>([
    [y, prediction.values],
    [t, labels.values],
  ]);
  return { losses, found: evaluate([losses, slope], given) };
}

function expectClose(found: ArrayLike<number>, wanted: readonly number[]): void {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 12);
  });
}

const names = { in: ['p', 'y'] } as const;

describe('softmaxCrossEntropy', () => {
  it('gives one loss for each place of the labels', () => {
    const logits = rows('logits', 2, 3, 4);
    const labels = { batch: true, shape: [2, 3], values: [0, 3, 1, 2, 2, 0] };
    const { losses, found } = run({ op: 'softmaxCrossEntropy', ...names }, logits, labels);
    expect(losses.shape).toEqual([6]);
    const wanted = labels.values.map((label, i) => {
      const logit = (c: number) => at(logits, Math.floor(i / 3), i % 3, c);
      return Math.log(sum(4, (c) => Math.exp(logit(c)))) - logit(label);
    });
    expectClose(found[0], wanted);
  });
});

describe('losses of values', () => {
  const y = rows('y', 2, 3);
  const targets = { batch: true, shape: [2, 3], values: [0, 1, 0.25, 1, 0, 0.5] };
  const mean = (f: (y: number, t: number) => number) =>
    [0, 1].map((n) => sum(3, (i) => f(at(y, n, i), at(targets, n, i))) / 3);

  it('binaryCrossEntropy is that of the sigmoid', () => {
    const { found } = run({ op: 'binaryCrossEntropy', ...names }, y, targets);
    const p = (z: number) => 1 / (1 + Math.exp(-z));
    expectClose(
      found[0],
      mean((z, t) => -t * Math.log(p(z)) - (1 - t) * Math.log(1 - p(z))),
    );
    expectClose(
      found[1],
      Array.from(y.values, (z, i) => (p(z) - targets.values[i]) / 3),
    );
  });

  it('meanSquaredError', () => {
    const { losses, found } = run({ op: 'meanSquaredError', ...names }, y, targets);
    expect(losses.shape).toEqual([2]);
    expectClose(
      found[0],
      mean((a, b) => (a - b) ** 2),
    );
    expectClose(
      found[1],
      Array.from(y.values, (a, i) => (2 * (a - targets.values[i])) / 3),
    );
  });

  it('takes one value an example', () => {
    const one = { batch: true, shape: [2], values: [1, 3] };
    const { losses, found } = run({ op: 'meanSquaredError', ...names }, one, { ...one, values: [0, 1] });
    expect(losses.shape).toEqual([2]);
    expectClose(found[0], [1, 4]);
  });

  it.each([
    [1e8, 1, 0.5],
    [1, 1e8, 1e8 - 0.5],
    [1, 1, 0.5],
    [1, -1, 0.5],
  ])('huber with delta %d loses no digits of a residual of %d', (delta, residual, wanted) => {
    const { found } = run(
      { op: 'huber', ...names, delta },
      { batch: true, shape: [1, 1], values: [residual] },
      { batch: true, shape: [1, 1], values: [0] },
    );
    expect(found[0][0]).toBe(wanted);
  });

  it('huber is quadratic within delta and straight beyond', () => {
    const residuals = [-1e6, -3, -0.5, -0.4999, 0, 0.1, 0.5, 2, 1e6];
    const shape = [residuals.length, 1];
    const { found } = run(
      { op: 'huber', ...names, delta: 0.5 },
      { batch: true, shape, values: residuals },
      { batch: true, shape, values: residuals.map(() => 0) },
    );
    const wanted = residuals.map((r) => (Math.abs(r) <= 0.5 ? (r * r) / 2 : 0.5 * (Math.abs(r) - 0.25)));
    wanted.forEach((value, i) => {
      expect(Math.abs(found[0][i] - value)).toBeLessThanOrEqual(1e-12 * (1 + value));
    });
    const clamp = (r: number) => Math.min(0.5, Math.max(-0.5, r));
    expectClose(found[1], residuals.map(clamp));
  });
});
