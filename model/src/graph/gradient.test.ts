import { describe, expect, it } from 'vitest';
import { stream } from '../random/streams.ts';
import { primitiveCases } from '../testing/primitives.ts';
import { evaluate } from '../testing/reference.ts';
import { gradient, NotDifferentiable } from './gradient.ts';
import { Graph, type Value } from './graph.ts';
import { differentiationRules, type RuleTable } from './rules.ts';

type Leaves = ReadonlyMap<Value, ArrayLike<number>>;

/** Leaves with fixed values that project a value to one number. */
function project(graph: Graph, value: Value, leaves: Map<Value, ArrayLike<number>>, name: string): Value {
  const direction = graph.leaf(name, value.shape);
  const random = stream(11, name);
  leaves.set(
    direction,
    Float64Array.from({ length: value.size }, () => 2 * random.nextFloat() - 1),
  );
  return graph.dot(value, direction);
}

/** Compares a gradient with central differences in float64, element by element. */
function expectGradient(loss: Value, found: readonly Value[], wrt: readonly Value[], leaves: Leaves): void {
  const step = 1e-5;
  const values = evaluate(found, leaves);
  wrt.forEach((leaf, which) => {
    const at = Float64Array.from(leaves.get(leaf)!);
    for (let i = 0; i < at.length; i++) {
      const shifted = (by: number) => {
        const moved = at.slice();
        moved[i] += by;
        return evaluate([loss], new Map([...leaves, [leaf, moved]]))[0][0];
      };
      const wanted = (shifted(step) - shifted(-step)) / (2 * step);
      expect(Math.abs(values[which][i] - wanted)).toBeLessThan(1e-8 * Math.max(1, Math.abs(wanted)));
    }
  });
}

describe('gradient', () => {
  it.each(primitiveCases)('$name: first order agrees with finite differences', ({ build }) => {
    const { graph, value, leaves, varying } = build(1);
    const all = new Map<Value, ArrayLike<number>>(leaves);
    const loss = project(graph, value, all, 'first');
    expectGradient(loss, gradient(graph, loss, varying), varying, all);
  });

  it.each(primitiveCases)('$name: second order agrees with finite differences of the first', ({ build }) => {
    const { graph, value, leaves, varying } = build(2);
    const all = new Map<Value, ArrayLike<number>>(leaves);
    // Squared, so that even a linear primitive has a second derivative.
    const loss = graph.dot(value, value);
    const along = gradient(graph, loss, varying)
      .map((part, i) => project(graph, part, all, `second-${i}`))
      .reduce<Value>((sum, part) => graph.add(sum, part), graph.constant([1], 0));
    expectGradient(along, gradient(graph, along, varying), varying, all);
  });

  it('sums over every path', () => {
    const graph = new Graph();
    const x = graph.leaf('x', [1]);
    const loss = graph.multiply(graph.multiply(x, x), graph.tanh(x));
    expectGradient(loss, gradient(graph, loss, [x]), [x], new Map([[x, [0.4]]]));
  });

  it('is 0 where the loss does not depend on a value', () => {
    const graph = new Graph();
    const [x, y] = [graph.leaf('x', [3]), graph.leaf('y', [2])];
    const [dy] = gradient(graph, graph.dot(x, x), [y]);
    expect([...evaluate([dy], new Map([[x, [1, 2, 3]]]))[0]]).toEqual([0, 0]);
  });

  it('takes the values that it differentiates by as independent', () => {
    const graph = new Graph();
    const x = graph.leaf('x', [1]);
    const y = graph.scale(x, 3);
    const [dx, dy] = gradient(graph, graph.multiply(x, y), [x, y]);
    const found = evaluate([dx, dy], new Map([[x, [2]]]));
    expect(found.map(([d]) => d)).toEqual([6, 2]);
  });

  it('throws, and names the op, where a second derivative has no rule', () => {
    const graph = new Graph();
    const x = graph.leaf('x', [2]);
    const firstOrderOnly: RuleTable = Object.fromEntries(
      Object.entries(differentiationRules).filter(([op]) => op !== 'multiply'),
    );
    const [first] = gradient(graph, graph.dot(graph.tanh(x), x), [x], firstOrderOnly);
    const second = () => gradient(graph, graph.dot(first, x), [x], firstOrderOnly);
    expect(second).toThrow(NotDifferentiable);
    expect(second).toThrow(/"multiply"/);
  });

  it('refuses a loss of more than one value', () => {
    const graph = new Graph();
    const x = graph.leaf('x', [2]);
    expect(() => gradient(graph, x, [x])).toThrow(/has 2/);
  });
});

describe('Graph', () => {
  it('gives the same value for the same primitive on the same values', () => {
    const graph = new Graph();
    const [x, y] = [graph.leaf('x', [2]), graph.leaf('x', [2])];
    expect(x).not.toBe(y);
    expect(graph.tanh(x)).toBe(graph.tanh(x));
    expect(graph.tanh(x)).not.toBe(graph.tanh(y));
    expect(graph.scale(x, 2)).not.toBe(graph.scale(x, 3));
  });

  it('refuses shapes that do not fit, naming them', () => {
    const graph = new Graph();
    expect(() => graph.matmul(graph.leaf('a', [2, 3]), graph.leaf('b', [2, 3]))).toThrow(
      /matmul.*\[2, 3\] and \[2, 3\]/,
    );
  });
});
