import { describe, expect, it } from 'vitest';
import { stream } from '../random/streams.ts';
import { primitiveCases } from '../testing/primitives.ts';
import { evaluate } from '../testing/reference.ts';
import * as meaning from './decompositions.ts';
import { ancestors, gradient, NotDifferentiable } from './gradient.ts';
import { Graph, type Value } from './graph.ts';
import type { Primitive } from './primitives.ts';
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

const differentiable = primitiveCases.filter((each) => each.differentiable);

describe('gradient', () => {
  it.each(differentiable)('$name: first order agrees with finite differences', ({ build }) => {
    const { graph, value, leaves, varying } = build(1);
    const all = new Map<Value, ArrayLike<number>>(leaves);
    const loss = project(graph, value, all, 'first');
    expectGradient(loss, gradient(graph, loss, varying), varying, all);
  });

  it.each(differentiable)('$name: second order agrees with finite differences of the first', ({ build }) => {
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

/** The gradient of an expression, projected to one number again: what the next order differentiates. */
function alongOf(
  graph: Graph,
  loss: Value,
  wrt: readonly Value[],
  leaves: Map<Value, ArrayLike<number>>,
  name: string,
): Value {
  return gradient(graph, loss, wrt)
    .map((part, i) => project(graph, part, leaves, `${name}-${i}`))
    .reduce((sum, part) => graph.add(sum, part));
}

const opsOf = (values: readonly Value[]) => new Set<Primitive>(ancestors(values).map(({ op }) => op));

describe('fused primitives', () => {
  const fused = new Map<Primitive, meaning.Decomposition>([
    ['lstm', meaning.lstm],
    ['lstmGradient', meaning.lstmGradient],
    ['geluGradient', meaning.geluGradient],
    ['normaliseRowsGradient', meaning.normaliseRowsGradient],
  ]);
  const cases = [...fused].flatMap(([op, decomposition]) =>
    differentiable
      .filter(({ name }) => name.startsWith(`${op} `))
      .map(({ name, build }) => ({ name, build, op, decomposition })),
  );

  it.each(cases)('$name equals its decomposition', ({ build, op, decomposition }) => {
    const { graph, value, leaves } = build(3);
    const whole = ancestors([value]).find((each) => each.op === op)!;
    const parts = decomposition(graph, whole, whole.inputs);
    expect(opsOf([parts])).not.toContain(op);
    const [wanted, found] = evaluate([whole, parts], leaves);
    expect(parts.shape).toEqual(whole.shape);
    wanted.forEach((x, i) => {
      expect(Math.abs(found[i] - x)).toBeLessThan(1e-12 * Math.max(1, Math.abs(x)));
    });
  });

  it.each([
    { name: 'gelu by erf', apply: (graph: Graph, x: Value) => graph.gelu(x, 'erf') },
    { name: 'gelu by tanh', apply: (graph: Graph, x: Value) => graph.gelu(x, 'tanh') },
    { name: 'normaliseRows', apply: (graph: Graph, x: Value) => graph.normaliseRows(x, 0.3) },
    {
      name: 'lstm',
      apply: (graph: Graph, x: Value) => {
        const gates = graph.slice(x, 0, 0, 2);
        const wh = graph.view(graph.slice(x, 0, 2, 3), [1, 4]);
        return graph.slice(graph.lstm(graph.view(gates, [2, 1, 4]), wh), 0, 0, 1);
      },
    },
  ])('$name can be differentiated three times', ({ apply }) => {
    const graph = new Graph();
    const x = graph.leaf('x', [3, 4]);
    const random = stream(5, 'third');
    const all = new Map<Value, ArrayLike<number>>([
      [x, Float64Array.from({ length: x.size }, () => 2 * random.nextFloat() - 1)],
    ]);
    const loss = project(graph, apply(graph, x), all, 'zeroth');
    const first = alongOf(graph, loss, [x], all, 'first');
    const second = alongOf(graph, first, [x], all, 'second');
    expectGradient(second, gradient(graph, second, [x]), [x], all);
  });

  describe('an LSTM as it is used, in its parameters', () => {
    const build = (last: boolean) => {
      const graph = new Graph();
      const [steps, batch, channels, hidden] = [3, 2, 2, 3];
      const x = graph.leaf('x', [steps * batch, channels]);
      const wx = graph.leaf('wx', [channels, 4 * hidden]);
      const wh = graph.leaf('wh', [hidden, 4 * hidden]);
      const b = graph.leaf('b', [4 * hidden]);
      const random = stream(6, 'lstm');
      const all = new Map<Value, ArrayLike<number>>(
        [x, wx, wh, b].map((leaf) => [
          leaf,
          Float64Array.from({ length: leaf.size }, () => 2 * random.nextFloat() - 1),
        ]),
      );
      const gates = graph.view(graph.addRow(graph.matmul(x, wx), b), [steps, batch, 4 * hidden]);
      const hiddens = graph.slice(graph.lstm(gates, wh), 0, 0, 1);
      const value = last ? graph.slice(hiddens, 1, steps - 1, steps) : hiddens;
      return { graph, all, gates, wh, wrt: [x, wx, wh, b], loss: project(graph, value, all, 'loss') };
    };

    it.each([{ last: false }, { last: true }])(
      'has a first order through lstmGradient (last alone: $last)',
      ({ last }) => {
        const { graph, all, wrt, loss } = build(last);
        const first = gradient(graph, loss, wrt);
        expect(opsOf(first)).toContain('lstmGradient');
        expectGradient(loss, first, wrt, all);
      },
    );

    it.each([{ last: false }, { last: true }])(
      'has a second order through lstmGradient (last alone: $last)',
      ({ last }) => {
        const { graph, all, wrt, loss } = build(last);
        const along = alongOf(graph, loss, wrt, all, 'second');
        expect(opsOf([along])).toContain('lstmGradient');
        expectGradient(along, gradient(graph, along, wrt), wrt, all);
      },
    );

    it('has a second order in wh alone, and in the gates alone', () => {
      const { graph, all, gates, wh, loss } = build(false);
      const inner = gradient(graph, loss, [wh]);
      const along = project(graph, inner[0], all, 'wh');
      expectGradient(along, gradient(graph, along, [wh]), [wh], all);
      // The gates as leaves of their own.
      const free = graph.leaf('gates', gates.shape);
      all.set(free, evaluate([gates], all)[0]);
      const hiddens = graph.slice(graph.lstm(free, wh), 0, 0, 1);
      const alongGates = alongOf(graph, graph.dot(hiddens, hiddens), [free], all, 'gates');
      expectGradient(alongGates, gradient(graph, alongGates, [free, wh]), [free, wh], all);
    });

    it('has the same gradient as its recurrence written out', () => {
      const { graph, all, gates, wh } = build(false);
      const fusedStates = graph.lstm(gates, wh);
      const free = graph.leaf('gates', gates.shape);
      all.set(free, evaluate([gates], all)[0]);
      const fusedLoss = graph.slice(graph.lstm(free, wh), 0, 0, 1);
      const plainLoss = graph.slice(meaning.lstm(graph, fusedStates, [free, wh]), 0, 0, 1);
      const of = (h: Value) => gradient(graph, graph.dot(h, h), [free, wh]);
      const [fast, slow] = [of(fusedLoss), of(plainLoss)];
      expect(opsOf(slow)).not.toContain('lstmGradient');
      const values = evaluate([...fast, ...slow], all);
      for (const which of [0, 1])
        values[which].forEach((x, i) => {
          expect(Math.abs(x - values[which + 2][i])).toBeLessThan(1e-12);
        });
    });
  });

  it('may share a value with their own decomposition', () => {
    // The cotangent is the very value that the decomposition starts with: the row without its mean.
    const graph = new Graph();
    const x = graph.leaf('x', [2, 4]);
    const mean = graph.repeatColumn(graph.scale(graph.rowSum(x), 1 / 4), x.shape);
    const value = graph.normaliseRowsGradient(graph.subtract(x, mean), x, 0.2);
    const all = new Map<Value, ArrayLike<number>>([[x, [0.3, -0.8, 1.1, 0.4, -0.2, 0.9, -1.3, 0.6]]]);
    const loss = project(graph, value, all, 'shared');
    expectGradient(loss, gradient(graph, loss, [x]), [x], all);
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
